"""What a container sees of itself in /proc, with lxcfs on its node."""

import os
import re
import signal
from collections.abc import Iterator

import pytest

from containers.node import lxcfs
from containers.node.conf import NodeConf
from containers.node.processes.cgroup import Group
from containers.node.processes.run import call
from tests.real.rig import Rig
from tests.real.snapshots import take

SPEC = {"ram": 128, "cpus": 1.0, "pids": 100}
HELD = "7</proc/meminfo 8</proc/stat 9</proc/swaps"
HOLDER = f"(exec {HELD}; exec sleep 5000) >/dev/null 2>&1 </dev/null &"
BY_NODE = "LXCFS"


@pytest.fixture
def own(node_conf: NodeConf) -> Iterator[None]:
    """lxcfs runs; gone afterwards."""
    if "FUSE" in (why := lxcfs.unable()):
        pytest.skip(why)
    assert why == ""
    lxcfs.prepare(node_conf)
    yield
    lxcfs.remove(node_conf)


def total(rig: Rig, ctid: int) -> int | None:
    """MiB of memory that it sees; None where it can't see any."""
    said = rig.inside(ctid, "cat", "/proc/meminfo")
    found = re.search(r"MemTotal: +(\d+) kB", said)
    return int(found[1]) // 1024 if found else None


def node_total() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def up(rig: Rig, ctid: int) -> None:
    started = rig.operate("start", ctid, spec=SPEC)
    assert started.code == 0, started.log


def test_it_sees_its_own_memory_swap_processors_load_and_uptime(
    own: None, rig: Rig, ctid: int
) -> None:
    up(rig, ctid)
    assert total(rig, ctid) == 128
    assert "SwapTotal:             0 kB" in rig.inside(ctid, "cat", "/proc/meminfo")
    assert rig.inside(ctid, "grep", "-c", "^processor", "/proc/cpuinfo").strip() == "1"
    assert float(rig.inside(ctid, "cat", "/proc/uptime").split()[0]) < 60
    assert len(rig.inside(ctid, "cat", "/proc/loadavg").split()) == 5
    rig.operate("set", ctid, spec={**SPEC, "ram": 96}, former=SPEC)
    assert total(rig, ctid) == 96


@pytest.mark.criu
@pytest.mark.parametrize("propagation", ["private", "shared"])  # systemd makes / shared
def test_its_processes_may_have_these_files_open_when_they_are_saved(
    criu: str, own: None, node_conf: NodeConf, rig: Rig, ctid: int, propagation: str
) -> None:
    call(["mount", f"--make-{propagation}", f"{lxcfs.place(node_conf)}"])
    up(rig, ctid)
    rig.inside(ctid, "sh", "-c", HOLDER)
    for plan in ("suspend", "resume", "suspend", "resume"):  # of what was restored, too
        done = rig.operate(plan, ctid, spec=SPEC)
        assert done.code == 0, done.log
    assert total(rig, ctid) == 128
    assert "/proc/meminfo" in rig.inside(ctid, "sh", "-c", "ls -l /proc/[0-9]*/fd/7")


@pytest.mark.criu
def test_what_was_saved_without_it_is_restored_with_it_and_the_other_way_round(
    criu: str, node_conf: NodeConf, rig: Rig, ctid: int
) -> None:
    up(rig, ctid)
    before = take(rig, ctid)
    assert total(rig, ctid) == node_total()
    lxcfs.prepare(node_conf)
    try:
        assert rig.operate("restore", ctid, spec=SPEC, **before.params).code == 0
        assert total(rig, ctid) == node_total()  # until its next start
        rig.operate("restart", ctid, spec=SPEC)
        rig.inside(ctid, "sh", "-c", HOLDER)
        after = take(rig, ctid)
    finally:
        lxcfs.remove(node_conf)
    restored = rig.operate("restore", ctid, spec=SPEC, **after.params)
    assert restored.code == 0, restored.log
    assert total(rig, ctid) == node_total()
    lxcfs.prepare(node_conf)
    try:
        assert lxcfs.mend(node_conf) == [f"CT {ctid} has another lxcfs"]
        assert total(rig, ctid) == 128
    finally:
        lxcfs.remove(node_conf)


def test_when_it_dies_a_new_one_takes_its_place_in_containers_that_run(
    own: None, rig: Rig, ctid: int
) -> None:
    up(rig, ctid)
    (pid,) = Group(f"{rig.conf.cgroup}/lxcfs").processes()
    fd = os.pidfd_open(pid)
    signal.pidfd_send_signal(fd, signal.SIGKILL)
    os.close(fd)
    rig.wait_for(lambda: not lxcfs.alive(rig.conf), "lxcfs to be gone")
    assert total(rig, ctid) is None
    lxcfs.prepare(rig.conf)
    assert lxcfs.mend(rig.conf) == [f"CT {ctid} has another lxcfs"]
    assert total(rig, ctid) == 128
    assert lxcfs.mend(rig.conf) == []


def test_vz_conf_may_do_without_it(own: None, rig: Rig, ctid: int) -> None:
    with rig.configured(**{BY_NODE: "no"}):
        up(rig, ctid)
        assert total(rig, ctid) == node_total()
        assert lxcfs.missing(rig.conf) == f'LXCFS="no" in {rig.conf.vz_conf}'
