"""Restores, suspensions and resumes that fail: the processes that ran come back, or are kept."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from containers.node import observed
from containers.node.operations import PLANS
from containers.node.processes.run import call
from containers.node.states import State
from tests.real.counter import count, counting
from tests.real.dying import run_cancelled, run_meddled
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import Kept, fresh, listed, private, take

pytestmark = pytest.mark.criu
UP, DOWN, MOUNTED, SUSPENDED = State.RUNNING, State.STOPPED, State.MOUNTED, State.SUSPENDED
SHARE = "/mnt"  # where the mount script of these mounts something, in the container


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """What the mount script binds. Without "there" in it, that script fails."""
    share = tmp_path / "share"
    share.mkdir()
    (share / "there").touch()
    return share


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int, shared: Path) -> int:
    """With a bind of its mount script's, which the umount script takes away and then refuses."""
    rig.write(ctid, "mount", f"#!/bin/sh\n. $VE_CONFFILE\n[ -e {shared}/there ] || exit 1\n"
              f"mount --bind {shared} $VE_ROOT{SHARE}\n")  # fmt: skip
    counting(rig, ctid)
    rig.write(ctid, "umount", f"#!/bin/sh\n. $VE_CONFFILE\numount $VE_ROOT{SHARE}\nexit 1\n")
    count(rig, ctid)
    return ctid


def calm(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "umount", f"#!/bin/sh\n. $VE_CONFFILE\numount $VE_ROOT{SHARE}\n")


def test_an_umount_script_that_fails_half_way_brings_all_of_it_back(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    count(rig, running)

    failed = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (failed.code, failed.state) == (79, UP), failed.log
    assert failed.scripts == ["umount"]
    assert observed.mounted(rig.paths(running).root / SHARE.lstrip("/"))
    assert "remains" not in failed.end["details"]
    assert (listed(rig, running), count(rig, running)) == ([kept.uuid], 3)
    calm(rig, running)
    assert rig.operate("restore", running, **kept.params, safety=fresh()).state is UP
    assert count(rig, running) == 2


def test_what_can_not_be_brought_back_is_a_snapshot_and_named(
    rig: Rig, running: int, shared: Path
) -> None:
    kept, safety = take(rig, running), fresh()
    count(rig, running)
    (rig.paths(running).fs / "root/later").write_text("later")
    (shared / "there").unlink()

    failed = rig.operate("restore", running, **kept.params, safety=safety)

    assert (failed.code, failed.state) == (79, DOWN), failed.log
    assert not observed.mounted(rig.paths(running).root)
    remains = failed.end["details"]["remains"]
    assert (remains["problem"], remains["details"]["uuid"]) == ("processes-kept", safety)
    told = failed.facts["snapshot"]
    assert (told["uuid"], told["kind"], told["only"], told["processes"]) == (safety, "safety", True,
                                                                           True)  # fmt: skip
    assert listed(rig, running) == sorted([kept.uuid, safety])
    assert Kept(rig, running, told).verify().answer in ("ok", "can't tell")

    (shared / "there").touch()
    calm(rig, running)
    back = rig.operate("restore", running, **Kept(rig, running, told).params)
    assert (back.code, back.state) == (0, UP), back.log
    assert count(rig, running) == 3
    assert (rig.paths(running).fs / "root/later").read_text() == "later"


def test_a_dead_runners_restore_comes_back_too(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    params: dict[str, Any] = {**kept.params, "safety": fresh()}
    number = rig.request("restore", running, **params)
    assert run_meddled(rig, number, "own-umount", "ended", die) == -signal.SIGKILL
    rig.zygote.recover(number)
    outcome = rig.finish(number)

    assert (outcome.end["progress"], outcome.state) == ("interrupted", UP), outcome.log
    assert outcome.end["details"]["recovered"] == "back"
    assert (listed(rig, running), count(rig, running)) == ([kept.uuid], 2)


def moments() -> Iterator[ParameterSet]:
    for plan, state in (("restore", UP), ("suspend", UP), ("resume", SUSPENDED)):
        for step in PLANS[plan].steps(state):
            if step.key.startswith("global-") or "premount" in step.key or step.key == "cut":
                continue  # these don't apply
            for moment in ("began", "ended"):
                short = (plan, step.key, moment) in TELLING
                yield pytest.param(plan, step.key, moment, marks=() if short else pytest.mark.long)


TELLING = {  # the moments that make test looks at
    ("restore", "own-umount", "began"), ("restore", "dismount", "ended"),
    ("restore", "own-mount", "ended"), ("suspend", "own-umount", "began"),
    ("resume", "own-umount", "ended"),
}  # fmt: skip


@pytest.mark.parametrize(("plan", "step", "moment"), [*moments()])
def test_a_runner_killed_among_scripts_that_fail_loses_no_process(
    rig: Rig, running: int, plan: str, step: str, moment: str
) -> None:
    kept = take(rig, running)
    rig.write(running, "postumount", "#!/bin/sh\nexit 1\n")
    if plan == "resume":
        assert rig.operate("suspend", running).state is SUSPENDED
    params: dict[str, Any] = {**kept.params, "safety": fresh()} if plan == "restore" else {}
    number = rig.request(plan, running, **params)
    killed = run_meddled(rig, number, step, moment, die) == -signal.SIGKILL
    if killed:
        rig.zygote.recover(number)
    outcome = rig.finish(number)
    assert killed or "skipped" in {event["ev"] for event in outcome.events}

    calm(rig, running)
    if outcome.state is SUSPENDED:
        rig.write(running, "umount", "#!/bin/sh\n")
        resumed = rig.operate("resume", running)
        assert resumed.state is UP, outcome.log + resumed.log
    elif outcome.state is not UP:
        only = Kept(rig, running, outcome.facts["snapshot"])
        assert only.facts["only"]
        assert rig.operate("restore", running, **only.params).state is UP, outcome.log
    assert count(rig, running) == 2
    assert not [name for name in listed(rig, running) if name.startswith(".new-")]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_suspension_that_its_umount_script_leaves_mounted_is_one_and_can_be_resumed(
    rig: Rig, running: int
) -> None:
    suspended = rig.operate("suspend", running)
    assert (suspended.code, suspended.state, rig.state(running)) == (0, SUSPENDED, SUSPENDED)
    assert suspended.facts["mounted"]
    assert observed.mounted(rig.paths(running).root)
    for plan, code in (("mount", 32), ("destroy", 41), ("start", 32), ("snapshot", 32)):
        refused = rig.operate(plan, running)
        assert (refused.code, refused.state) == (code, SUSPENDED), plan

    resumed = rig.operate("resume", running)  # though the umount script refuses once more
    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert count(rig, running) == 2
    assert observed.mounted(rig.paths(running).root / SHARE.lstrip("/"))

    assert rig.operate("suspend", running).state is SUSPENDED
    calm(rig, running)
    rig.write(running, "umount", "#!/bin/sh\n")
    dismounted = rig.operate("umount", running)
    assert (dismounted.code, dismounted.state, dismounted.facts["mounted"]) == (0, SUSPENDED, False)
    assert rig.operate("umount", running).code == 32
    started = rig.operate("start", running, discard=True)
    assert (started.code, started.state) == (0, UP), started.log
    assert private(rig, running) == ["fs", "scripts", "ve.conf"]


def test_a_mounted_suspended_one_starts_when_its_processes_may_go(rig: Rig, running: int) -> None:
    assert rig.operate("suspend", running).state is SUSPENDED
    started = rig.operate("start", running, discard=True)
    assert (started.code, started.state) == (0, UP), started.log


def test_a_suspension_whose_processes_can_not_come_back_stays_one(rig: Rig, running: int) -> None:
    """What they had mounted goes while its runner is killed."""

    def unmounted_and_dead() -> None:
        call(["umount", f"{rig.paths(running).root}{SHARE}"])
        die()

    number = rig.request("suspend", running)
    run_meddled(rig, number, "dump", "ended", unmounted_and_dead)
    rig.zygote.recover(number)
    outcome = rig.finish(number)

    assert outcome.state is SUSPENDED, outcome.log
    assert outcome.end["details"]["recovered"] == "stuck"
    assert outcome.end["details"]["remains"]["problem"] == "still-suspended"
    resumed = rig.operate("resume", running)
    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert count(rig, running) == 2


@pytest.mark.parametrize("plan", ["suspend", "snapshot"])
def test_what_is_cancelled_after_its_end_undoes_nothing_and_says_so(
    rig: Rig, running: int, plan: str
) -> None:
    calm(rig, running)
    rig.write(running, "postumount", "#!/bin/sh\nsleep 30\n")
    params = {"snapshot": fresh(), "stop": True} if plan == "snapshot" else {}

    outcome = cancelled(rig, running, plan, **params)

    assert outcome.end["progress"] == "cancelled", outcome.log
    assert outcome.end["undone"] == []
    assert outcome.state is (SUSPENDED if plan == "suspend" else DOWN)
    assert listed(rig, running) == ([params["snapshot"]] if params else [])
    rig.write(running, "postumount", "#!/bin/sh\n")
    again = "resume" if plan == "suspend" else "restore"
    assert rig.operate(again, running, **params).state is UP
    assert count(rig, running) == 2


def cancelled(rig: Rig, ctid: int, plan: str, **params: object) -> Outcome:
    return rig.finish(run_cancelled(rig, plan, ctid, "own-postumount", "began", **params))


def test_a_resume_that_can_not_remove_the_dump_is_no_suspension_any_more(
    rig: Rig, running: int
) -> None:
    calm(rig, running)
    assert rig.operate("suspend", running).state is SUSPENDED
    stuck = rig.paths(running).private / "dump/img/inventory.img"
    call(["chattr", "+i", f"{stuck}"])
    try:
        resumed = rig.operate("resume", running)
    finally:
        call(["chattr", "-i", f"{rig.paths(running).private}/dump.new/img/inventory.img"])

    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert count(rig, running) == 2
    assert rig.operate("stop", running).state is DOWN
    assert rig.operate("start", running).state is UP
    assert rig.operate("suspend", running).state is SUSPENDED
    assert "dump.new" not in private(rig, running)


def test_a_restore_that_is_refused_leaves_a_mounted_one_mounted(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    calm(rig, running)
    assert rig.operate("stop", running, fast=True).state is DOWN
    assert rig.operate("mount", running).state is MOUNTED

    refused = rig.operate("restore", running, **kept.params, safety=kept.uuid)

    assert (refused.end["problem"], refused.state) == ("snapshot-exists", MOUNTED), refused.log
    assert refused.scripts == []
