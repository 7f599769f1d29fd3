"""What a dead runner leaves is brought to an end: back, or forward once it had begun to commit."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.node.ct import Ct
from containers.node.errors import Code, Problem, ScriptFailed
from containers.node.journal import Past
from containers.node.lock import locked
from containers.node.plan import Plan, Step
from containers.node.processes.cgroup import hierarchy
from containers.node.spool import Event, Spool
from containers.node.states import State
from tests.node.engine.rig import Outcome, Rig, World, toy
from tests.node.engine.toy import failing, step, undone_by

MOMENTS = [(0, True), *((n, before) for n in range(1, 12) for before in (False, True))]


def committing(world: World) -> Plan:
    """Four steps, of which the third commits."""
    return toy(world.step("a"), world.step("b"), world.step("c", commits=True), world.step("d"))


def names(moment: Any) -> str | None:
    if not isinstance(moment, tuple):
        return None
    n, before_the_next = moment
    return f"before-event-{n}" if before_the_next else f"after-event-{n - 1}"


def dies(rig: Rig, spool: Spool, moment: tuple[int, bool], *, recover: bool = False) -> Outcome:
    n, before_the_next = moment
    return rig.run(spool, recover=recover, events=n, before_the_next=before_the_next)


def is_over(outcome: Outcome) -> bool:
    return bool(outcome.events) and outcome.events[-1]["ev"] == "end"


def has_begun(outcome: Outcome, key: str) -> bool:
    return key in outcome.steps


@pytest.mark.parametrize("moment", MOMENTS, ids=names)
def test_a_power_cut_at_any_moment_leaves_all_of_it_or_nothing(
    rig: Rig, moment: tuple[int, bool]
) -> None:
    world = World()
    rig.offer(committing(world))
    spool = rig.request()
    dead = dies(rig, spool, moment)
    if is_over(dead):
        return  # the power cut came too late

    end = rig.recover(spool).end

    assert end["progress"] == "interrupted"
    if has_begun(dead, "c"):
        assert world.there == ["a", "b", "c", "d"]
        assert end["error"].startswith(
            "Its runner ended unexpectedly; the operation was completed all the same."
        )
    else:
        assert world.there == []
        undone = "what it had begun was undone." if has_begun(dead, "a") else "nothing of it had"
        assert end["error"].startswith(f"Its runner ended unexpectedly; {undone}")


@pytest.mark.parametrize("moment", MOMENTS[1:15], ids=names)
def test_a_power_cut_while_the_last_one_is_recovered_changes_nothing(
    rig: Rig, moment: tuple[int, bool]
) -> None:
    for second in MOMENTS:
        world = World()
        rig.offer(committing(world))
        spool = rig.request()
        dead = dies(rig, spool, moment)
        if is_over(dies(rig, spool, second, recover=True)):
            break  # so it is at every later moment

        outcome = rig.recover(spool)

        assert outcome.end["progress"] == "interrupted"
        assert world.there == (["a", "b", "c", "d"] if has_begun(dead, "c") else []), second
        assert [e["n"] for e in outcome.events] == [*range(len(outcome.events))]


LAST = (
    step(
        "script-2",
        failing(ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="start", exit=1)),
        once=True,
    ),
)


@pytest.mark.parametrize("moment", MOMENTS, ids=names)
def test_a_step_that_is_to_be_done_once_is_never_done_twice(
    rig: Rig, moment: tuple[int, bool]
) -> None:
    """Nor is one of an undo: however often the power is cut."""
    for second in MOMENTS:
        world = World()
        once = world.step("script", once=True, undo=(world.undo("script", once=True),))
        rig.offer(toy(world.step("a"), once, world.step("b", commits=True), *LAST))
        spool = rig.request()
        dies(rig, spool, moment)
        if is_over(dies(rig, spool, second, recover=True)):
            break

        rig.recover(spool)

        assert world.ran.count("script") <= 1
        assert world.ran.count("undo-script") <= 1


REFUSES = failing(ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="mount", exit=7))


def began(i: int, key: str, *, undo: bool = False) -> Event:
    return {"ev": "began", "i": i, "step": key, "label": key, "where": "node", "undo": undo}


def ended(i: int, error: str = "", *, ignored: bool = False) -> Event:
    return {"ev": "ended", "i": i, "error": error, "ignored": ignored}


def skipped(i: int, key: str) -> Event:
    return {"ev": "skipped", "i": i, "step": key}


def planned(*keys: str) -> Event:
    steps = [{"step": key, "label": key, "where": "node"} for key in keys]
    return {"ev": "plan", "steps": steps}


def in_cgroup(name: str, ev: str = "cgroup") -> Event:
    return {"ev": ev, "group": name}


END: Event = {"ev": "end", "progress": "succeeded"}
ABC = planned("a", "b", "c")
A, B = [began(0, "a"), ended(0)], [began(1, "b"), ended(1)]
KEYS = ("a", "b", "c")


@pytest.mark.parametrize(
    ("events", "past"),
    [
        pytest.param([], Past(), id="nothing was written"),
        pytest.param([ABC], Past(KEYS), id="nothing was begun"),
        pytest.param([ABC, began(0, "a")], Past(KEYS, begun=(0,)), id="under way"),
        pytest.param([ABC, *A], Past(KEYS, begun=(0,), finished=(0,)), id="done"),
        pytest.param(
            [ABC, skipped(0, "a"), *B],
            Past(KEYS, begun=(1,), finished=(1,), skipped=(0,)),
            id="one was left out",
        ),
        pytest.param(
            [ABC, began(0, "a"), ended(0, "it failed", ignored=True), began(1, "b")],
            Past(KEYS, begun=(0, 1), finished=(0,), ignored=("a",)),
            id="a failure that was passed over is an end",
        ),
        pytest.param(
            [ABC, *A, began(1, "b"), ended(1, "it failed")],
            Past(KEYS, begun=(0, 1), finished=(0,), unwinding=True),
            id="a failure that was not: it was about to undo",
        ),
        pytest.param(
            [ABC, *A, began(1, "b"), ended(1, "it failed"), began(3, "undo-a", undo=True)],
            Past(KEYS, begun=(0, 1), finished=(0,), unwinding=True, undos=("undo-a",)),
            id="an undo under way",
        ),
        pytest.param(
            [ABC, *A, began(1, "b"), ended(1, "it failed"), began(3, "undo-a", undo=True),
             ended(3, "that failed, too"), began(4, "undo-b", undo=True), ended(4)],
            Past(KEYS, begun=(0, 1), finished=(0,), unwinding=True, undos=("undo-a", "undo-b")),
            id="how an undo ended is not asked",
        ),
        pytest.param(
            [ABC, *A, began(1, "b"), began(3, "undo-a", undo=True)],
            Past(KEYS, begun=(0, 1), finished=(0,), unwinding=True, undos=("undo-a",)),
            id="one that a recovery has begun",
        ),
        pytest.param(
            [ABC, *A, *B, END],
            Past(KEYS, begun=(0, 1), finished=(0, 1), over=True),
            id="over",
        ),
        pytest.param(
            [in_cgroup("/panel/runner-1", "home"), ABC, began(0, "a"),
             in_cgroup("/panel/runner-2"), began(0, "a")],
            Past(KEYS, begun=(0, 0), cgroups=("/panel/runner-1", "/panel/runner-2")),
            id="begun again by the runner that recovered it, which died as well",
        ),
        pytest.param(
            [ABC, began(0, "a"), {"ev": "fact", "key": "exit", "value": 0},
             {"ev": "state", "state": "mounted"}, {"ev": "script", "i": 0}, ended(0)],
            Past(KEYS, begun=(0,), finished=(0,)),
            id="facts, states and scripts are for the panel",
        ),
    ],
)  # fmt: skip
def test_a_past_is_read_from_the_events(events: list[Event], past: Past) -> None:
    assert Past.of(events) == past


def recovered(rig: Rig, plan: Plan, events: Sequence[Event], **fields: Any) -> Outcome:
    """A recovery of what these events tell of a toy plan."""
    rig.offer(plan)
    spool = rig.request(**fields)
    writer = rig.writer(spool)
    for event in events:
        writer.event(**{key: event[key] for key in event})
    writer.close()
    return rig.recover(spool)


THREE = (step("a", undo=undone_by("undo-a")), step("b", undo=undone_by("undo-b")), step("c"))


@pytest.mark.parametrize(
    ("plan", "events", "steps", "undos", "code"),
    [
        pytest.param(
            toy(*THREE), [ABC, *A, began(1, "b")], [], ["undo-b", "undo-a"], Code.SYSTEM,
            id="back, what was half done as well",
        ),
        pytest.param(
            toy(*THREE), [ABC, *A, skipped(1, "b"), began(2, "c")], [], ["undo-a"], Code.SYSTEM,
            id="back, but for what was left out",
        ),
        pytest.param(
            toy(THREE[0], THREE[1].but(commits=True), THREE[2]), [ABC, *A, began(1, "b")],
            ["b", "c"], [], Code.SYSTEM,
            id="forward, the commit once more",
        ),
        pytest.param(
            toy(THREE[0], THREE[1].but(commits=True), THREE[2]), [ABC, *A, *B],
            ["c"], [], Code.SYSTEM,
            id="forward, the next step first",
        ),
        pytest.param(
            toy(THREE[0].but(commits=True), *THREE[1:]),
            [ABC, *A, skipped(1, "b")], ["c"], [], Code.SYSTEM,
            id="forward, behind what was left out, whether it would apply by now or not",
        ),
        pytest.param(
            toy(THREE[0].but(commits=True), *THREE[1:]), [ABC, *A, *B, began(2, "c"),
                                                         ended(2, "it failed")],
            [], ["undo-b", "undo-a"], Code.SYSTEM,
            id="back, a committed one as well, when it was about to undo",
        ),
        pytest.param(
            toy(THREE[0].but(commits=True), THREE[1], THREE[2].but(do=REFUSES)), [ABC, *A, *B],
            ["c"], ["undo-b", "undo-a"], Code.SCRIPT,
            id="forward, and back again when that fails",
        ),
        pytest.param(
            toy(THREE[0].but(commits=True), THREE[1],
                THREE[2].but(once=True, undo=undone_by("undo-c"))),
            [ABC, *A, *B, began(2, "c")], [], ["undo-c", "undo-b", "undo-a"], Code.SCRIPT,
            id="forward: a script that was interrupted has failed",
        ),
        pytest.param(
            toy(THREE[0].but(commits=True), THREE[1].but(once=True, ignore_failure=True),
                THREE[2]),
            [ABC, *A, began(1, "b")], ["c"], [], Code.SYSTEM,
            id="forward: that failure is passed over like any other of it",
        ),
        pytest.param(
            toy(*THREE), [ABC, *A, began(1, "b"), ended(1, "it failed"),
                          began(3, "undo-b", undo=True), ended(3)],
            [], ["undo-b", "undo-a"], Code.SYSTEM,
            id="an undo that was done is done again",
        ),
        pytest.param(
            toy(THREE[0], step("b", undo=[step("undo-b", once=True)]), THREE[2]),
            [ABC, *A, began(1, "b"), ended(1, "it failed"), began(3, "undo-b", undo=True)],
            [], ["undo-a"], Code.SYSTEM,
            id="unless it is to be done once: its turn is over, however it ended",
        ),
    ],
)  # fmt: skip
def test_a_recovery_takes_up_where_the_dead_runner_was(
    rig: Rig, plan: Plan, events: list[Event], steps: list[str], undos: list[str], code: Code
) -> None:
    outcome = recovered(rig, plan, events)

    own = outcome.events[len(events) :]
    began = [(e["step"], e["undo"]) for e in own if e["ev"] == "began"]
    assert [key for key, undo in began if not undo] == steps
    assert [key for key, undo in began if undo] == undos
    assert (outcome.end["progress"], outcome.end["code"]) == ("interrupted", code)


def test_the_steps_are_those_of_the_state_it_had_begun_in(rig: Rig) -> None:
    """Whatever state it is in by now: the journal names the steps of another entry."""
    plan = Plan(
        "Toy",
        entry={
            State.STOPPED: [step("x", undo=undone_by("undo-x"))],
            State.RUNNING: [step("a", undo=undone_by("undo-a")), step("b")],
        },
    )
    assert recovered(rig, plan, [planned("a", "b"), *A]).undos == ["undo-a"]


def test_of_a_plan_that_nobody_knows_any_more_nothing_is_undone(rig: Rig) -> None:
    outcome = recovered(rig, toy(*THREE), [planned("a", "gone", "c"), *A, began(1, "gone")])
    assert (outcome.undos, outcome.end["progress"]) == ([], "failed")
    assert outcome.end["error"].startswith("Its runner failed")


def test_what_was_passed_over_before_is_known_to_the_steps_afterwards(rig: Rig) -> None:
    plan = toy(
        step("umount", REFUSES, ignore_failure=True),
        step("change", commits=True),
        step("dismount", when=lambda ct: "umount" not in ct.ignored),
    )
    events = [planned("umount", "change", "dismount"), began(0, "umount"),
              ended(0, "it failed", ignored=True), began(1, "change"), ended(1)]  # fmt: skip

    outcome = recovered(rig, plan, events)

    assert [e["step"] for e in outcome.events if e["ev"] == "skipped"] == ["dismount"]


def test_the_undo_is_that_of_the_profile_it_was_requested_with(rig: Rig) -> None:
    undo = {"documented": undone_by("delete"), "vzctl": undone_by("delete", "umount")}
    plan = toy(step("a", undo=undo), step("b"), step("c"))
    assert recovered(rig, plan, [ABC, *A], profile="vzctl").undos == ["delete", "umount"]


def test_steps_go_on_counting_where_the_dead_runner_has_stopped(rig: Rig) -> None:
    plan = toy(THREE[0].but(commits=True), THREE[1], THREE[2].but(do=REFUSES))

    outcome = recovered(rig, plan, [ABC, *A, began(1, "b")])

    own = [(e["i"], e["step"]) for e in outcome.events[4:] if e["ev"] == "began"]
    assert own == [(1, "b"), (2, "c"), (3, "undo-b"), (4, "undo-a")]


def test_undos_of_a_second_recovery_have_numbers_of_their_own(rig: Rig) -> None:
    events = [ABC, *A, began(1, "b"), began(3, "undo-b", undo=True)]
    outcome = recovered(rig, toy(*THREE), events)
    own = [(e["i"], e["step"]) for e in outcome.events[5:] if e["ev"] == "began"]
    assert own == [(4, "undo-b"), (5, "undo-a")]


def test_a_recovery_that_finds_the_container_locked_is_no_end(rig: Rig) -> None:
    rig.offer(toy(*THREE))
    spool = rig.request()
    before = rig.run(spool, events=3).events

    with locked(rig.conf.vz / "lock" / "101.lck", "start"):
        assert rig.recover(spool).events == before
    assert rig.recover(spool).undos == ["undo-a"]


def test_an_operation_that_had_not_begun_just_failed_when_the_container_is_locked(
    rig: Rig,
) -> None:
    rig.offer(toy(*THREE))
    spool = rig.request()
    with locked(rig.conf.vz / "lock" / "101.lck", "start"):
        assert rig.recover(spool).end["progress"] == "failed"


@pytest.fixture
def orphans(tmp_path: Path) -> Iterator[str]:
    """A control group with one process in it: its list is that of a shell's children."""
    shell = subprocess.Popen(["sh", "-c", "sleep 60; sleep 0"], stdout=subprocess.DEVNULL)
    children = Path(f"/proc/{shell.pid}/task/{shell.pid}/children")
    group = tmp_path / "group"
    group.mkdir()
    (group / "cgroup.procs").symlink_to(children)
    deadline = time.monotonic() + 10
    while not children.read_text() and time.monotonic() < deadline:
        time.sleep(0.001)
    yield f"/{os.path.relpath(group, hierarchy())}"
    for pid in children.read_text().split():
        os.kill(int(pid), 9)
    shell.kill()
    shell.wait()


@pytest.mark.parametrize(
    ("unbroken", "events", "alive"),
    [
        (False, [began(0, "a")], False),
        (True, [began(0, "a")], True),
        (True, [began(0, "a"), ended(0), began(1, "b")], False),
    ],
    ids=["a script, say", "a dump", "a dump that is done"],
)
def test_what_a_dead_runner_ran_is_ended_first_unless_it_must_not_be_broken(
    rig: Rig, tmp_path: Path, orphans: str, unbroken: bool, events: list[Event], alive: bool
) -> None:
    processes = tmp_path / "group" / "cgroup.procs"
    seen: list[bool] = []

    def look(ct: Ct) -> None:
        seen.append(bool(processes.read_text().split()))
        assert [group.name for group in ct.left] == [orphans]

    undo: Sequence[Step] = [step("undo-a", look)]
    plan = toy(step("a", undo=undo, unbroken=unbroken), step("b"))

    recovered(rig, plan, [in_cgroup(orphans), planned("a", "b"), *events])

    assert seen == [alive]
    assert not processes.read_text().split(), "it ends with the recovery at the latest"
