"""Suspend and resume: vzctl's order of scripts, and states, in both profiles."""

from pathlib import Path

import pytest

from containers.node import observed
from containers.node.states import State
from tests.real.counter import count, counting, read
from tests.real.rig import Rig
from tests.real.snapshots import private

pytestmark = pytest.mark.criu
UP, DOWN, MOUNTED, SUSPENDED = State.RUNNING, State.STOPPED, State.MOUNTED, State.SUSPENDED
ALL = ["vps.mount", "mount", "start", "stop", "umount", "vps.umount"]
PROFILES = ("documented", "vzctl")


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int) -> int:
    counting(rig, ctid)
    return ctid


@pytest.fixture
def suspended(rig: Rig, running: int) -> int:
    count(rig, running)
    assert rig.operate("suspend", running).code == 0
    return running


def save_all(rig: Rig, ctid: int) -> None:
    for name in ALL:
        rig.write(ctid, name, f"#!/bin/sh\necho {name} of $VEID\n")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scripts_of_both_are_vzctls(rig: Rig, running: int, profile: str) -> None:
    save_all(rig, running)
    count(rig, running)

    suspended = rig.operate("suspend", running, profile=profile)
    assert (suspended.scripts, suspended.code) == (["umount", "vps.umount"], 0)
    assert (suspended.state, rig.state(running)) == (SUSPENDED, SUSPENDED)
    assert not observed.mounted(rig.paths(running).root)

    resumed = rig.operate("resume", running, profile=profile)
    assert (resumed.scripts, resumed.code) == (["vps.mount", "mount"], 0)
    assert (resumed.state, rig.state(running)) == (UP, UP)
    assert count(rig, running) == 2
    assert private(rig, running) == ["fs", "scripts", "ve.conf"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("failing", "scripts"), [("umount", ["umount"]), ("vps.umount", ["umount", "vps.umount"])]
)
def test_a_refusing_umount_script_leaves_it_mounted_and_suspended(
    rig: Rig, running: int, profile: str, failing: str, scripts: list[str]
) -> None:
    save_all(rig, running)
    rig.write(running, failing, "#!/bin/sh\nexit 1\n")

    suspended = rig.operate("suspend", running, profile=profile)

    assert (suspended.scripts, suspended.code, rig.state(running)) == (scripts, 0, SUSPENDED)
    assert observed.mounted(rig.paths(running).root)
    rig.write(running, failing, "#!/bin/sh\nexit 0\n")
    resumed = rig.operate("resume", running, profile=profile)
    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert resumed.scripts == ["umount", "vps.umount", "vps.mount", "mount"]
    assert count(rig, running) == 1


@pytest.mark.parametrize("profile", PROFILES)
def test_a_resume_that_criu_refuses_runs_the_umount_scripts_and_stays_suspended(
    rig: Rig, suspended: int, profile: str
) -> None:
    save_all(rig, suspended)
    images = rig.paths(suspended).private / "dump/img"
    whole = (images / "pstree.img").read_bytes()
    damage(rig, suspended, images / "pstree.img", whole[:-4])

    failed = rig.operate("resume", suspended, profile=profile)

    assert failed.scripts == ["vps.mount", "mount", "umount", "vps.umount"]
    assert (failed.code, failed.state) == (17, SUSPENDED), failed.log
    damage(rig, suspended, images / "pstree.img", whole)
    assert rig.operate("resume", suspended).code == 0
    assert count(rig, suspended) == 2


def damage(rig: Rig, ctid: int, path: Path, content: bytes) -> None:
    from containers.node.checkpoint import manifest, saved

    path.write_bytes(content)
    manifest.write(saved.dump(rig.paths(ctid)))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("failing", ["vps.mount", "mount"])
def test_a_mount_script_that_refuses_a_resume_leaves_it_suspended(
    rig: Rig, suspended: int, profile: str, failing: str
) -> None:
    save_all(rig, suspended)
    rig.write(suspended, failing, "#!/bin/sh\nexit 1\n")

    failed = rig.operate("resume", suspended, profile=profile)

    assert failed.scripts == ["vps.mount", "mount"][: 1 + (failing == "mount")]
    assert (failed.code, failed.state) == (79, SUSPENDED)


def test_a_changed_dump_is_not_resumed(rig: Rig, suspended: int) -> None:
    pages = max((rig.paths(suspended).private / "dump/img").glob("pages-*.img"),
                key=lambda path: path.stat().st_size)  # fmt: skip
    whole = pages.read_bytes()
    pages.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])

    failed = rig.operate("resume", suspended)

    assert (failed.code, failed.state) == (17, SUSPENDED)
    assert "not as it was written: img/pages-" in failed.end["error"]


def test_a_suspended_container_starts_only_when_told_to_throw_its_processes_away(
    rig: Rig, suspended: int
) -> None:
    refused = rig.operate("start", suspended)
    assert (refused.code, refused.state) == (32, SUSPENDED)
    assert "resume it first" in refused.end["error"]

    (rig.paths(suspended).fs / "tmp/count").unlink()
    started = rig.operate("start", suspended, discard=True)

    assert (started.code, started.state) == (0, UP)
    rig.wait_for(lambda: read(rig, suspended) == 0, "a new counter")
    assert private(rig, suspended) == ["fs", "scripts", "ve.conf"]


@pytest.mark.parametrize(
    ("plan", "code"), [("suspend", 0), ("stop", 0), ("mount", 32), ("umount", 32), ("snapshot", 32)]
)
def test_what_a_suspended_container_refuses(rig: Rig, suspended: int, plan: str, code: int) -> None:
    outcome = rig.operate(plan, suspended)
    assert (outcome.code, outcome.state) == (code, SUSPENDED)


def test_a_suspended_container_can_be_destroyed(rig: Rig, suspended: int) -> None:
    assert rig.operate("destroy", suspended).code == 0
    assert not rig.paths(suspended).private.exists()


@pytest.mark.parametrize(("state", "code"), [(UP, 32), (DOWN, 17), (MOUNTED, 17)])
def test_there_is_nothing_to_resume_but_of_a_suspended_one(
    rig: Rig, ctid: int, state: State, code: int
) -> None:
    plans = {UP: "start", MOUNTED: "mount"}
    if state in plans:
        assert rig.operate(plans[state], ctid).code == 0
    outcome = rig.operate("resume", ctid)
    assert (outcome.code, outcome.state) == (code, state)


def test_a_stopped_container_can_not_be_suspended(rig: Rig, ctid: int) -> None:
    assert rig.operate("suspend", ctid).code == 31
