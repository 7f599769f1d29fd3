"""A container's life on a real node: made, started, stopped, destroyed."""

from containers.node.states import State


def test_a_container_is_made_started_stopped_and_destroyed(rig):
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
