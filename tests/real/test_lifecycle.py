"""A container's life on a real node: made, started, stopped, destroyed."""

from containers.node import runtimes
from containers.node.processes.run import call
from containers.node.states import State
from tests.real.rig import Rig


def test_a_container_is_made_started_stopped_and_destroyed(rig: Rig) -> None:
    made = rig.operate("create", 101)
    assert made.code == 0, made.log
    assert rig.state(101) is State.STOPPED

    started = rig.operate("start", 101)
    assert started.code == 0, started.log
    assert rig.state(101) is State.RUNNING

    stopped = rig.operate("stop", 101)
    assert stopped.code == 0, stopped.log
    assert rig.state(101) is State.STOPPED

    destroyed = rig.operate("destroy", 101)
    assert destroyed.code == 0, destroyed.log
    assert not rig.paths(101).private.exists()


def test_a_paused_container_is_stopped_with_its_stop_script(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    rig.write(ctid, "stop", "echo on its way\n")
    call(runtimes.load("runc").pause(rig.paths(ctid)))
    assert rig.state(ctid) is State.PAUSED

    outcome = rig.operate("stop", ctid)

    assert outcome.code == 0, outcome.log
    assert "on its way\n" in outcome.log
    assert rig.state(ctid) is State.STOPPED


def test_an_init_that_does_not_halt_is_killed_at_the_nodes_time_limit(rig: Rig, ctid: int) -> None:
    with rig.configured(STOP_TIMEOUT="1"):
        (rig.paths(ctid).fs / "sbin/init").unlink()
        (rig.paths(ctid).fs / "sbin/init").write_text("#!/bin/sh\nwhile :; do sleep 1000; done\n")
        (rig.paths(ctid).fs / "sbin/init").chmod(0o755)
        assert rig.operate("start", ctid).code == 0

        outcome = rig.operate("stop", ctid)

    assert outcome.code == 0, outcome.log
    assert "did not halt within 1 s; it is killed" in outcome.log


def test_it_has_a_bound_of_ptys_by_its_own_mount(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    (line,) = [line for line in rig.inside(ctid, "cat", "/proc/mounts").splitlines()
               if " /dev/pts " in line]  # fmt: skip
    assert "max=512" in line.split()[3].split(",")
