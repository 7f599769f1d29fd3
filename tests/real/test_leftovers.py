"""What a container leaves behind on its node when it is gone: nothing."""

import contextlib
import os
import signal
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from containers.node.network.live import links
from containers.node.states import State
from containers.node.storage.mounts import mounts
from tests.real.conftest import hierarchies, pids
from tests.real.rig import Rig, name_of


def test_a_life_with_all_its_troubles_leaves_nothing_behind(
    rig: Rig, networked: IPv4Network, bare_ctid: int
) -> None:
    ctid = bare_ctid
    spec = {"ips": [f"{networked.network_address + ctid}"], "ram": 64, "pids": 40}
    rig.operate("create", 9001)  # so that what the first one makes for all is there
    rig.write(9001, "mount", "#!/bin/sh\n")
    rig.operate("start", 9001)
    rig.clear(9001)
    before = inventory(rig)

    assert rig.operate("create", ctid, spec=spec).code == 0
    rig.write(ctid, "mount", "#!/bin/sh\n. $VE_CONFFILE\nmount -t tmpfs none $VE_ROOT/mnt\n")
    rig.write(ctid, "start", "(setsid sleep 1002 &) ; echo up")
    for _ in range(2):
        assert rig.operate("start", ctid, spec=spec).code == 0
        assert rig.operate("exec", ctid, command=["sh", "-c", "sleep 1002 & exit 3"]).code == 8
        stopped = rig.operate("stop", ctid, spec=spec)
        assert (stopped.code, stopped.facts["detached"]) == (0, ["/mnt"])
    rig.write(ctid, "start", "sleep 1002 & (setsid sleep 1002 &) ; exit 1")
    for profile in ("documented", "vzctl"):
        assert rig.operate("start", ctid, spec=spec, profile=profile).code == 79
    rig.write(ctid, "start", "(setsid sleep 1002 &) ; echo up")
    assert rig.operate("start", ctid, spec=spec).code == 0
    os.kill(rig.init(ctid).pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.state(ctid) is State.MOUNTED, "its init to end")
    assert rig.operate("halted", ctid, spec=spec).code == 0
    assert rig.operate("destroy", ctid, spec=spec).code == 0

    rig.wait_for(lambda: ctid not in links(rig.conf), "the kernel to delete its link")
    expected = {
        "mounts": [], "groups": [], "processes": [], "links": [], "namespaces": [],
        "files": [f"{rig.paths(ctid).lock}"],
    }  # fmt: skip
    with contextlib.suppress(TimeoutError):  # the zygote may be forking beforehand just now
        rig.wait_for(lambda: news(rig, before) == expected, "all to leave")
    assert news(rig, before) == expected


def news(rig: Rig, before: dict[str, set[Any]]) -> dict[str, list[Any]]:
    """What is there that was not before."""
    return {what: sorted(found - before[what]) for what, found in inventory(rig).items()}


def inventory(rig: Rig) -> dict[str, set[Any]]:
    """All there is of the node, but for the operations' logs."""
    groups = [place / rig.conf.cgroup.lstrip("/") for place in hierarchies()]
    inner = [path for group in groups for path in group.glob("**/") if not forked_beforehand(path)]
    running = {pid for group in inner for pid in pids(group) if name_of(pid) != "panel-zygote"}
    places = (rig.conf.state, rig.conf.run, rig.conf.etc)
    apart = {rig.conf.spool, rig.conf.templates}
    found = (path for place in places for path in walk(place, apart))
    return {
        "mounts": {f"{m.point}" for m in mounts() if m.point.is_relative_to(rig.conf.state)
                   or m.point.is_relative_to(rig.conf.run)},
        "groups": {f"{path}" for path in inner},
        "processes": running,
        "links": set(links(rig.conf).values()),
        "namespaces": set(map(network_of, running)) - {""},
        "files": set(found),
    }  # fmt: skip


def forked_beforehand(group: Path) -> bool:
    """Whether it is the home of a runner to be."""
    return group.name.startswith("runner-") and set(map(name_of, pids(group))) == {"panel-zygote"}


def walk(place: Path, without: set[Path]) -> Iterator[str]:
    for folder, names, files in os.walk(place):
        names[:] = [name for name in names if all(f"{w}" != f"{folder}/{name}" for w in without)]
        yield from (f"{folder}/{name}" for name in [*names, *files])


def network_of(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError):  # it has just ended
        return os.readlink(f"/proc/{pid}/ns/net")
    return ""
