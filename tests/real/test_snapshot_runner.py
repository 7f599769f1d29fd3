"""A runner that is killed at any step of a snapshot: what it paused goes on, nothing is half."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from containers.node import observed
from containers.node.operations import PLANS
from containers.node.plan import Step
from containers.node.states import State
from containers.node.steps import snapshotting, suspending
from tests.real.counter import count, counting, install
from tests.real.dying import run_dying
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import fresh, listed, private, take

pytestmark = pytest.mark.criu
DUMPING = snapshotting.dump_running(snapshotting.SNAPSHOT)
UP, DOWN, MOUNTED, SUSPENDED = State.RUNNING, State.STOPPED, State.MOUNTED, State.SUSPENDED
BEFORE = {"snapshot": UP, "snapshot stop": UP, "restore": UP, "suspend": UP, "resume": SUSPENDED,
          "clone": State.CREATING, "trial_restore": UP}  # fmt: skip
SKIPPED = {
    "snapshot": ("keep-scripts", "delete", "dismount", "dump-snapshot", "copy-snapshot"),
    "snapshot stop": ("freeze",),
    "restore": ("cut",), "suspend": (), "resume": (), "clone": ("hand-over",), "trial_restore": (),
}  # fmt: skip


TELLING = {  # the moments that make test looks at
    ("snapshot", "freeze", "ended"),
    ("snapshot", "seal-snapshot", "ended"), ("snapshot", "publish-snapshot", "began"),
    ("snapshot stop", "dump-snapshot", "ended"), ("snapshot stop", "delete", "began"),
    ("restore", "dump-safety", "ended"), ("restore", "switch-disk", "ended"),
    ("restore", "restore", "began"), ("restore", "restore", "ended"),
    ("restore", "adopt-disk", "began"), ("restore", "adopt-disk", "ended"),
    ("suspend", "dump", "ended"), ("suspend", "settle-dump", "ended"),
    ("resume", "resume", "began"), ("resume", "resume", "ended"),
    ("clone", "restore-clone", "ended"), ("trial_restore", "trial-restore", "ended"),
}  # fmt: skip


def moments() -> Iterator[ParameterSet]:
    for name, state in BEFORE.items():
        seen = set()
        for step in PLANS[name.split()[0]].steps(state):
            scripted = step.key.startswith(("own-", "global-"))
            if scripted or step.key in SKIPPED[name] or step.key in seen:
                continue
            seen.add(step.key)
            for moment in ("began", "ended"):
                short = (name, step.key, moment) in TELLING
                yield pytest.param(name, step.key, moment, marks=() if short else pytest.mark.long)


def recovered(rig: Rig, number: int) -> Outcome:
    rig.zygote.recover(number)
    outcome = rig.finish(number)
    assert outcome.end["progress"] == "interrupted"
    return outcome


@pytest.mark.parametrize(("name", "step", "moment"), [*moments()])
def test_nothing_stays_half_done(
    criu: str, rig: Rig, ctid: int, bare_ctid: int, name: str, step: str, moment: str
) -> None:
    plan, stop = name.split()[0], name.endswith("stop")
    counting(rig, ctid)
    count(rig, ctid)
    kept = take(rig, ctid).params if plan in ("restore", "clone", "trial_restore") else {}
    if plan == "resume":
        assert rig.operate("suspend", ctid).code == 0
    if plan == "restore":
        count(rig, ctid)
    asked: dict[str, Callable[[], dict[str, Any]]] = {
        "snapshot": lambda: {"snapshot": fresh(), "stop": stop},
        "restore": lambda: {**kept, "safety": fresh()},
        "clone": lambda: {**kept, "source": ctid, "processes": True,
                          "spec": {"state": "creating"}},
        "trial_restore": lambda: kept,
    }  # fmt: skip
    params = asked.get(plan, dict)()
    on = bare_ctid if plan == "clone" else ctid

    number = run_dying(rig, plan, on, step, moment, **params)
    outcome = recovered(rig, number)

    state = rig.state(on)
    assert outcome.end["state"] in (state, State.CREATING)
    whole_snapshots(rig, ctid)
    if state is UP:
        assert not observed.paused(rig.paths(on))
        assert count(rig, on) in ({2, 3} if plan == "restore" else {2})
    else:
        assert state in {"snapshot stop": (DOWN,), "suspend": (SUSPENDED,), "resume": (SUSPENDED,),
                         "clone": (State.BROKEN,)}[name], outcome.log  # fmt: skip
    if state is State.BROKEN:
        assert not rig.paths(on).private.exists()
    else:
        expected = ["fs", "scripts", "ve.conf"]
        assert private(rig, on) == (["dump", *expected] if state is SUSPENDED else expected)
    assert not (rig.conf.run / f"criu-{number}").exists()
    assert [path.name for path in (rig.conf.vz / "private").iterdir() if len(path.name) > 6] == []


def whole_snapshots(rig: Rig, ctid: int) -> None:
    from containers.node.checkpoint.verdict import verify
    from containers.node.errors import Doubts

    for name in listed(rig, ctid):
        assert not name.startswith(".new-")
        reasons = verify(rig.conf, ctid, name).reasons
        assert [why.fault for why in reasons] == [Doubts.UNRECORDED]


@pytest.mark.parametrize("plan", ["snapshot", "suspend"])
@pytest.mark.parametrize("delay", [0.03, 0.1, 0.2])
def test_a_runner_killed_while_criu_dumps_leaves_a_living_container(
    criu: str, rig: Rig, ctid: int, plan: str, delay: float
) -> None:
    """CRIU is not killed with it: it ends what it does, and is waited for."""
    install(rig, ctid)
    counting(rig, ctid)
    params = {"snapshot": fresh()} if plan == "snapshot" else {}
    number = rig.begin(plan, ctid, **params)
    dumping = suspending.DUMP if plan == "suspend" else DUMPING
    rig.wait_for(lambda: begun(rig, number, dumping), "the dump")
    if not kill_after(rig, number, delay):
        assert rig.finish(number).code == 0  # it was done by then
        return

    outcome = recovered(rig, number)

    if outcome.end["details"]["recovered"] == "forward":  # the commit had begun by then
        done = (SUSPENDED, []) if plan == "suspend" else (UP, [params["snapshot"]])
        assert (rig.state(ctid), listed(rig, ctid)) == done, outcome.log
        return
    assert (rig.state(ctid), listed(rig, ctid)) == (UP, []), outcome.log
    assert count(rig, ctid) == 1
    assert rig.operate(plan, ctid, **params).code == 0


def begun(rig: Rig, number: int, step: Step) -> bool:
    """By what is said, for the journal has no line of a step that is part of another."""
    return f"==> {step.label}\x1b" in rig.said(number)


def kill_after(rig: Rig, number: int, delay: float) -> bool:
    """False when it had ended by itself."""
    time.sleep(delay)  # somewhere within
    pid = rig.spool(number).pid()
    if pid is None or rig.ended(number):
        return False
    os.kill(pid, signal.SIGKILL)
    rig.wait_for(lambda: not rig.spool(number).alive(), "its end")
    return True


def test_a_container_that_a_dead_runner_has_paused_goes_on(criu: str, rig: Rig, ctid: int) -> None:
    counting(rig, ctid)
    number = rig.begin("snapshot", ctid, snapshot=fresh())
    rig.wait_for(lambda: observed.paused(rig.paths(ctid)), "the pause")
    kill_after(rig, number, 0)

    outcome = recovered(rig, number)

    assert (outcome.state, observed.paused(rig.paths(ctid))) == (UP, False)
    assert count(rig, ctid) == 1


@pytest.mark.parametrize("delay", [0.02, 0.15])
def test_a_runner_killed_while_criu_restores_leaves_the_restored_container(
    criu: str, rig: Rig, ctid: int, delay: float
) -> None:
    """Its monitor goes on with that, and is waited for: nothing is restored twice."""
    counting(rig, ctid)
    assert rig.operate("suspend", ctid).code == 0
    number = rig.begin("resume", ctid)
    rig.wait_for(lambda: begun(rig, number, suspending.RESUME), "the restore")
    killed = kill_after(rig, number, delay)

    outcome = recovered(rig, number) if killed else rig.finish(number)

    assert (rig.state(ctid), private(rig, ctid)) == (UP, ["fs", "scripts", "ve.conf"]), outcome.log
    assert count(rig, ctid) == 1
    assert rig.operate("stop", ctid).code == 0


def test_a_cancelled_snapshot_leaves_a_living_container_and_nothing_else(
    criu: str, rig: Rig, ctid: int
) -> None:
    counting(rig, ctid)
    number = rig.begin("snapshot", ctid, snapshot=fresh())
    rig.wait_for(lambda: begun(rig, number, DUMPING), "the dump")
    os.kill(rig.runner(number), signal.SIGTERM)

    outcome = rig.finish(number)

    assert (outcome.end["progress"], outcome.state) == ("cancelled", UP), outcome.log
    assert listed(rig, ctid) == []
    assert count(rig, ctid) == 1
