"""What is saved of a container whose monitor was killed, and with it its console."""

import os
import signal

import pytest

from containers.node.lines import lines_of
from containers.node.spool import Spool
from containers.node.states import State
from containers.node.templates.catalogue import Template
from tests.real.counter import count, counting
from tests.real.rig import Rig
from tests.real.snapshots import fresh, take

pytestmark = pytest.mark.criu
UP, SUSPENDED = State.RUNNING, State.SUSPENDED
ADOPTED = pytest.mark.parametrize("adopted", [True, False])


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int) -> int:
    counting(rig, ctid)
    return ctid


def lose_monitor(rig: Rig, ctid: int, *, adopted: bool) -> None:
    """adopted: the worker has given it another one since."""
    monitor = Spool(rig.paths(ctid).monitor)
    pid = monitor.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    rig.wait_for(lambda: not monitor.alive(), "the monitor to die")
    rig.wait_for(lambda: console_gone(rig, ctid), "its console to be gone")
    if adopted:
        rig.zygote.adopt(ctid)
        rig.wait_for(monitor.alive, "the new monitor")


def console_gone(rig: Rig, ctid: int) -> bool:
    mounts = [line.split(" ") for line in lines_of(f"/proc/{rig.init(ctid).pid}/mountinfo")]
    return any("//deleted" in mount[3] for mount in mounts if mount[4] == "/dev/console")


@ADOPTED
def test_a_snapshot_after_the_monitors_death_is_ok_and_comes_back(
    rig: Rig, running: int, adopted: bool
) -> None:
    lose_monitor(rig, running, adopted=adopted)
    count(rig, running)
    kept, safety = take(rig, running), fresh()
    assert kept.verify().answer == "ok"
    count(rig, running)

    restored = rig.operate("restore", running, **kept.params, safety=safety)
    assert (restored.code, restored.state) == (0, UP), restored.log
    assert count(rig, running) == 2

    back = rig.operate("restore", running, snapshot=safety)
    assert (back.code, back.state) == (0, UP), back.log
    assert count(rig, running) == 3


@ADOPTED
def test_a_suspension_after_the_monitors_death_can_be_resumed_again_and_again(
    rig: Rig, running: int, adopted: bool
) -> None:
    lose_monitor(rig, running, adopted=adopted)
    for turn in (1, 2, 3):
        assert rig.operate("suspend", running).state is SUSPENDED
        resumed = rig.operate("resume", running)
        assert (resumed.code, resumed.state) == (0, UP), resumed.log
        assert count(rig, running) == turn


def test_a_failed_restore_after_the_monitors_death_brings_it_back(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    tree = kept.saved.images / "pstree.img"
    tree.write_bytes(tree.read_bytes()[:-4])
    kept.agree()
    lose_monitor(rig, running, adopted=False)

    failed = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (failed.code, failed.state) == (17, UP), failed.log
    assert count(rig, running) == 1


def test_a_clone_with_processes_and_a_trial_come_back_too(
    rig: Rig, running: int, bare_ctid: int
) -> None:
    lose_monitor(rig, running, adopted=False)
    kept = take(rig, running)

    tried = rig.operate("trial_restore", running, **kept.params)
    cloned = rig.operate("clone", bare_ctid, **kept.params, source=running, processes=True,
                         spec={"state": "creating"})  # fmt: skip

    assert (tried.code, cloned.code, cloned.state) == (0, 0, UP), tried.log + cloned.log
    assert count(rig, bare_ctid) == 1


def test_one_with_systemd_comes_back_again_and_again_too(
    criu: str, rig: Rig, bare_ctid: int, debian_systemd_template: Template
) -> None:
    """It watches files in control groups of its own, and makes others meanwhile."""
    spec = {"template": f"{debian_systemd_template}"}
    for plan in ("create", "start"):
        assert rig.operate(plan, bare_ctid, spec=spec).code == 0
    state = ["systemctl", "is-system-running", "--wait"]
    rig.wait_for(lambda: "bus" not in rig.inside(bare_ctid, *state), "systemd to answer", 20)
    lose_monitor(rig, bare_ctid, adopted=True)
    kept = take(rig, bare_ctid)

    for _ in range(3):
        restored = rig.operate("restore", bare_ctid, **kept.params)
        assert (restored.code, restored.state) == (0, UP), restored.log
        rig.inside(bare_ctid, "systemctl", "restart", "cron")
    assert rig.inside(bare_ctid, "systemctl", "is-active", "ssh") == "active\n"


def test_a_restart_gives_it_a_console_again(rig: Rig, running: int) -> None:
    lose_monitor(rig, running, adopted=True)
    assert rig.operate("restart", running).code == 0
    assert not console_gone(rig, running)
