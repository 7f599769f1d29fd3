"""Control groups that processes are born in."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.processes.cgroup import Group, mounted
from containers.node.processes.runner_cgroup import RunnerCgroup


@pytest.fixture(params=["cgroup2", "freezer"])
def group(request: pytest.FixtureRequest, node_conf: NodeConf) -> Iterator[Group]:
    """In a hierarchy that can give birth, and in one into which a process has to be moved."""
    place: Path | None = mounted().get(request.param)
    if place is None:
        place = next(iter(mounted().values()))
    group = Group(f"{node_conf.cgroup}/born", place)
    group.make()
    yield group
    group.remove()


def test_what_killed_runners_have_left_empty_goes_and_nothing_else(node_conf: NodeConf) -> None:
    empty, aside, used = (RunnerCgroup.build(node_conf.cgroup, word) for word in "abc")
    reader, writer = os.pipe()
    child = used.group.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    RunnerCgroup.clear(node_conf.cgroup, {aside.group.name})
    found = [each.group.path.exists() for each in (empty, aside, used)]
    os.close(writer)
    os.close(reader)
    os.waitpid(child, 0)
    RunnerCgroup.clear(node_conf.cgroup, ())

    assert found == [False, True, True]
    assert not aside.group.path.exists()
    assert not used.group.path.exists()


def test_a_child_is_in_the_group_before_it_does_anything(group: Group) -> None:
    reader, writer = os.pipe()
    child = group.fork()
    if not child:
        os.write(writer, Path("/proc/self/cgroup").read_bytes())
        os._exit(7)
    _, status = os.waitpid(child, 0)
    os.close(writer)
    with open(reader) as said:
        assert f"{group.name}\n" in said.read()
    assert os.waitstatus_to_exitcode(status) == 7
    assert group.processes() == []


def test_what_it_forks_is_in_the_group_too_and_ended_with_it(group: Group) -> None:
    reader, writer = os.pipe()
    child = group.fork()
    if not child:
        if os.fork():
            os._exit(0)
        os.setsid()
        os.write(writer, b".")
        signal.pause()
    os.waitpid(child, 0)
    assert os.read(reader, 1) == b"."
    assert len(group.processes()) == 1
    group.kill()
    assert group.processes() == []
    os.close(reader)
    os.close(writer)
