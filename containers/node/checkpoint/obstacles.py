"""What in a running container hinders a dump of its processes, seen before it is tried."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.node import truth
from containers.node.checkpoint import cpu
from containers.node.layout import Layout

MANY = 20_000  # descriptors that are looked at
UNSUPPORTED = ("hugetlbfs", "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "bpf", "debugfs",
               "tracefs", "configfs", "securityfs")  # fmt: skip
NESTED = ("uts", "ipc", "user", "pid", "cgroup", "time")  # of mnt and net there may be more
FALLBACKS = ("lo", "eth0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0",
             "ip6tnl0", "ip6gre0")  # fmt: skip
UNDUMPABLE = {
    "anon_inode:[io_uring]": "uses io_uring",
    "anon_inode:bpf-prog": "has a BPF program loaded",
    "anon_inode:bpf-map": "has a BPF map loaded",
    "anon_inode:[perf_event]": "measures performance",
    "anon_inode:[userfaultfd]": "handles page faults",
    "anon_inode:kvm-vm": "runs a virtual machine",
}


@dataclass(frozen=True)
class Obstacle:
    """bit: its place in the original's mask. fatal: no dump is possible, else it is left out."""

    bit: int
    sentence: str
    fatal: bool = True


def obstacles(paths: Layout) -> list[Obstacle]:
    """Of a running container; empty when there is none to be seen."""
    init = truth.init_of(paths)
    if not init or not init.alive:
        return []
    everyone = members(paths)
    outside = strangers(init.pid, everyone)
    inside = [pid for pid in everyone if pid not in outside]
    return [
        *external(outside),
        *nested(init.pid, inside),
        *traced(inside),
        *file_systems(init.pid),
        *unknown_binds(paths, init.pid),
        *devices(init.pid),
        *descriptors(inside),
    ]


def members(paths: Layout) -> list[int]:
    """All processes in the container's control group, and in the groups below it."""
    found: set[int] = set()
    for place in truth.cgroup_paths(paths).values():
        for folder, _, _ in os.walk(place):
            with contextlib.suppress(OSError):
                found.update(int(n) for n in (Path(folder) / "cgroup.procs").read_text().split())
        if found:
            break
    return sorted(found)


def strangers(init: int, everyone: Sequence[int]) -> set[int]:
    """Those that are not its init's descendants: they came in by an exec."""
    parents = {pid: truth.parent_of(pid) for pid in everyone}
    found = set()
    for pid in everyone:
        above: int | None = pid
        while above in parents and above != init:
            above = parents[above]
        if above != init:
            found.add(pid)
    return found


def external(outside: set[int]) -> Iterator[Obstacle]:
    for pid in sorted(outside):
        if state_of(pid) not in ("Z", "X", ""):
            yield Obstacle(
                cpu.EXTERNAL,
                f"external process {pid} ({name_of(pid)}) inside the container: an exec session is"
                " no part of a snapshot",
                fatal=False,
            )


def nested(init: int, inside: Sequence[int]) -> Iterator[Obstacle]:
    own = {kind: namespace(init, kind) for kind in NESTED}
    for pid in inside:
        for kind, inode in own.items():
            other = namespace(pid, kind)
            if other and inode and other != inode:
                yield Obstacle(
                    cpu.NAMESPACES, f"{name_of(pid)} ({pid}) has a {kind} namespace of its own"
                )


def traced(inside: Sequence[int]) -> Iterator[Obstacle]:
    for pid in inside:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text(errors="replace")
            if int(status.partition("TracerPid:")[2].split()[0]):
                yield Obstacle(cpu.TRACED, f"{name_of(pid)} ({pid}) is being traced")


def file_systems(init: int) -> Iterator[Obstacle]:
    for where, kind in mounts_of(init):
        if kind in UNSUPPORTED or kind.startswith("fuse"):
            yield Obstacle(cpu.FILESYSTEM, f"{kind} is mounted at {where}")


def unknown_binds(paths: Layout, init: int) -> Iterator[Obstacle]:
    """What is mounted below VE_ROOT now, but was not when the container was made."""
    try:
        config = json.loads((paths.bundle / "config.json").read_text())
    except (OSError, ValueError):
        return
    known = {mount["destination"] for mount in config["mounts"]}
    there = {where for where, _ in mounts_of(init)}
    for where in known - there:
        if where not in ("/proc", "/sys") and not where.startswith("/dev/"):
            yield Obstacle(cpu.BIND, f"what was mounted at {where} when it was made is gone")


def devices(init: int) -> Iterator[Obstacle]:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{init}/net/dev").read_text().splitlines()[2:]
        for name in (line.partition(":")[0].strip() for line in lines):
            if name not in FALLBACKS:
                yield Obstacle(
                    cpu.NETDEV, f"its network interface {name} would be lost", fatal=False
                )


def descriptors(inside: Sequence[int]) -> Iterator[Obstacle]:
    seen = 0
    for pid in inside:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                seen += 1
                if seen > MANY:
                    return
                with contextlib.suppress(OSError):
                    what = UNDUMPABLE.get(os.readlink(f"/proc/{pid}/fd/{fd}"))
                    if what:
                        yield Obstacle(cpu.MISC, f"{name_of(pid)} ({pid}) {what}")


def mounts_of(pid: int) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/mountinfo").read_text(errors="surrogateescape")
        for line in text.splitlines():
            where, _, what = line.partition(" - ")
            yield truth.unescape(where.split(" ")[4]), what.split(" ")[0]


def namespace(pid: int, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def state_of(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return stat[stat.rindex(")") + 2 :][:1]


def name_of(pid: int) -> str:
    """What the process calls itself, with nothing in it a terminal would obey."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "a process"
    return "".join(char if char.isprintable() else "?" for char in name)
