"""What every plan does from every state, as text: one file a plan, in transcripts/.

    from mounted
        dismount, commits, leaves stopped       a step, and what it is
            failing: umount | stopped           the undos that its failure runs | the state after
            failing (vzctl): …                  where the undo profiles differ
        with skip_remount: own-umount …         what is left out in a situation
    undos
        umount, if, once                        what the undos are

    if            it does not always apply; the failures above are told as if all applied
    passed over   its failure ends nothing
    regardless    an undo that is done though one before it has failed
    =             it is made of others, which follow

`python -m tests.node.engine.transcripts` writes the files anew, for a change that is meant.
"""

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node import actions
from containers.node.actions import Where
from containers.node.checkpoint import saved
from containers.node.ct import Ct
from containers.node.errors import Code, OperationError, Problem
from containers.node.layout import Layout
from containers.node.operations import PLANS
from containers.node.plan import Plan, Refusal, Step, Whole, take
from containers.node.states import State
from tests.node.engine.toy import CTID, Recorder, alpha, container, failing, nothing

FOLDER = Path(__file__).with_name("transcripts")
PROFILES = ("documented", "vzctl")
ALWAYS = Step("", "", nothing)
APPLYING = {"when": ALWAYS.when, "spared": ALWAYS.spared, "there": ALWAYS.there}
UUID = "3f0c7a52-9a7b-4d0e-8f0b-0d6f6c1b2a3e"
SAFETY = "5b1e8c44-1c2d-4f5a-9b6c-7d8e9f0a1b2c"
SOURCE = 201
SNAPSHOT = {"snapshot": UUID}


@dataclass(frozen=True)
class Situation:
    """lacks: scripts, criu, processes. refuses: keys of steps whose failure is passed over."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    lacks: Collection[str] = ()
    refuses: Collection[str] = ()


def having(**params: Any) -> Situation:
    return Situation(f"with {', '.join(params)}", params)


PLAIN = Situation("with all scripts")
BARE = Situation("without a script", lacks=("scripts",))
REFUSING = [
    Situation(f"when {key} refuses", refuses=(key,)) for key in ("own-umount", "global-umount")
]
STOPS = [having(without_stop_script=True), having(skip_umount=True), having(fast=True)]
STARTS = [having(skip_remount=True), having(discard=True), *REFUSING]
REINSTALLS = [
    *(having(**{word: True}) for word in
      ("skipbackup", "resetpwdb", "start", "without_stop_script", "without_own_scripts")),
    having(keep_until="2030-01-01T00:00:00+00:00"),
]  # fmt: skip
NO_PROCESSES = Situation("when no processes were kept", SNAPSHOT, lacks=("processes",))
NO_CRIU = Situation("without CRIU", SNAPSHOT, lacks=("criu",))

SITUATIONS = {
    "build_template": [
        Situation("of debian-12", {"name": "debian-12"}),
        Situation("of busybox", {"name": "busybox"}),
    ],
    "clone": [
        PLAIN, BARE, having(source=SOURCE, processes=True), having(source=SOURCE), NO_PROCESSES,
    ],
    "reinstall": [PLAIN, BARE, *REINSTALLS],
    "restart": [PLAIN, BARE, *STOPS, *STARTS],
    "restore": [
        PLAIN, BARE, having(safety=SAFETY), having(safety=SAFETY, disk_only=True),
        having(disk_only=True), NO_PROCESSES,
        Situation("with safety, without CRIU", {"safety": SAFETY}, lacks=("criu",)),
    ],
    "resume": [PLAIN, BARE, *STARTS],
    "snapshot": [PLAIN, BARE, having(stop=True), having(disk_only=True),
                 having(stop=True, skip_remount=True), having(stop=True, disk_only=True),
                 *(Situation(f"with stop, {each.name}", {"stop": True}, refuses=each.refuses)
                   for each in REFUSING)],
    "start": [PLAIN, BARE, *STARTS],
    "stop": [PLAIN, BARE, *STOPS],
    "suspend": [PLAIN, BARE, having(skip_remount=True), *REFUSING],
    "undo_reinstall": [PLAIN, BARE, *REINSTALLS],
}  # fmt: skip


def text(kind: str) -> str:
    plan = PLANS[kind]
    alike: dict[str, list[str]] = {}
    for state in State:
        alike.setdefault(way(kind, plan, state), []).append(state)
    parts = [f"from {', '.join(states)}\n{lines}" for lines, states in alike.items()]
    return "\n".join([heading(plan), *parts, undos(plan)])


def heading(plan: Plan) -> str:
    words = [plan.label]
    words += [] if plan.exclusive else ["beside others"]
    words += [] if plan.on_container else ["on no container"]
    words += ["makes its container"] if plan.makes else []
    words += ["removes its container"] if plan.removes else []
    words += [f"touches {' and '.join(plan.touches)}"] if plan.touches else []
    words += [f"fails with {coded(plan.code)}"] if plan.code else []
    return f"{', '.join(words)}\n"


def way(kind: str, plan: Plan, state: State) -> str:
    found = plan.way(state)
    if isinstance(found, Refusal):
        return f"    refused, {coded(found.code)}: {found.problem}\n"
    lines = [line for i, step in enumerate(found) for line in described(step, found, i, state)]
    lines += [left_out(found, state, each) for each in SITUATIONS.get(kind, [PLAIN, BARE])]
    return "".join(f"    {line}\n" for line in lines)


def coded(code: int) -> str:
    return f"{code} {Code(code).name}"


def described(step: Step, steps: Sequence[Step], i: int, state: State) -> Iterator[str]:
    yield from named(step)
    found = {profile: failure(steps, i, state, profile) for profile in PROFILES}
    if found["documented"] == found["vzctl"]:
        yield f"    failing: {found['vzctl']}"
    else:
        yield from (f"    failing ({profile}): {told}" for profile, told in found.items())


def named(step: Step) -> Iterator[str]:
    """It, and what it is made of."""
    yield words(step)
    if isinstance(step.do, Whole):
        yield from (f"    = {words(inner)}" for inner in step.do.steps)


def words(step: Step) -> str:
    flags = {
        "if": any(getattr(step, name) is not always for name, always in APPLYING.items()),
        "once": step.once,
        "commits": step.commits,
        "passed over": step.ignore_failure,
        "unbroken": step.unbroken,
        "regardless": step.regardless,
        "in the container": step.where is Where.CONTAINER,
        f"leaves {step.leaves}": step.leaves is not None,
    }
    return ", ".join([step.key, *(word for word, holds in flags.items() if holds)])


def failure(steps: Sequence[Step], i: int, state: State, profile: str) -> str:
    """What is undone when a step fails, if all steps apply, and the state that leaves."""
    applying = [sure(step) for step in steps]
    applying[i] = applying[i].but(do=failing(OperationError(Problem.SYSTEM_ERROR, why="it fails")))
    ct = container(alpha(Path("/nowhere")), state=state, profile=profile)
    journal = Recorder()
    try:
        take(applying, ct, journal)
    except OperationError:
        return f"{' '.join(journal.undone) or 'nothing'} | {ct.state}"
    return "passed over"


def sure(step: Step) -> Step:
    """The same step, but that it does nothing and always applies; and so do its undos."""
    return step.but(do=nothing, **APPLYING, undo={
        profile: [sure(undo) for undo in step.undoing(profile)] for profile in PROFILES
    })  # fmt: skip


def left_out(steps: Sequence[Step], state: State, situation: Situation) -> str:
    with tempfile.TemporaryDirectory() as folder:
        ct = container_in(Path(folder), situation)
        ct.state = state
        journal = Recorder()
        take([tried(step, situation) for step in steps], ct, journal)
    return f"{situation.name}: {' '.join(journal.left_out) or 'nothing'}"


def tried(step: Step, situation: Situation) -> Step:
    """The same step, but that it does nothing, and that it fails where it is to refuse."""
    if step.ignore_failure and step.key in situation.refuses:
        return step.but(do=failing(OperationError(Problem.SYSTEM_ERROR, why="it refuses")))
    return step.but(do=nothing)


def container_in(folder: Path, situation: Situation) -> Ct:
    """CT 101 with all that a step may ask for, but for what the situation lacks."""
    conf = alpha(folder)
    ct = container(conf, params={**SNAPSHOT, **situation.params})
    if "scripts" not in situation.lacks:
        for action in actions.ALL:
            for scope in action.scopes:
                touch(ct.paths.script(scope, action))
    if "criu" not in situation.lacks:
        touch(conf.state / "criu/status", "ok /bin/true 4.2")
    if "processes" not in situation.lacks:
        for ctid in (CTID, SOURCE):
            touch(saved.published(Layout(conf, ctid), UUID).images / "inventory.img")
    return ct


def touch(path: Path, content: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def undos(plan: Plan) -> str:
    found = (undo for step in all_steps(plan) for p in PROFILES for undo in step.undoing(p))
    told = dict.fromkeys("".join(f"    {line}\n" for line in named(undo)) for undo in found)
    return f"undos\n{''.join(told)}" if told else "no undos\n"


def all_steps(plan: Plan) -> Iterator[Step]:
    """Those of all its entries, each once."""
    seen: list[Step] = []
    for found in plan.entry.values():
        for step in () if isinstance(found, Refusal) else found:
            if step not in seen:
                seen.append(step)
                yield step


def write() -> None:
    os.environ.pop("PANEL_CRIU", None)
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.txt"):
        stale.unlink()
    for kind in PLANS:
        (FOLDER / f"{kind}.txt").write_text(text(kind))


if __name__ == "__main__":
    write()
