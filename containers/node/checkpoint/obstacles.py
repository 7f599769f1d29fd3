"""What in a running container hinders a dump of its processes, seen before it is tried.

Imports next to nothing, for vzcptcheck is run from scripts.
"""

import contextlib
import os
import time

from containers.node.checkpoint import cpu, mounts
from containers.node.lines import lines_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from containers.node.checkpoint.reason import Reason

MANY = 20_000  # descriptors that are looked at
STOPPED = "do_signal_stop"  # where the kernel has one that is stopped, which is "D" once frozen
LOOKS, LOOK = 10, 0.05  # times, and seconds between two, that one has to be seen to wait
NESTED = ("uts", "ipc", "user", "pid", "cgroup", "time")  # of mnt and net there may be more
FALLBACKS = ("lo", "eth0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0",
             "ip6tnl0", "ip6gre0")  # fmt: skip
UNDUMPABLE = {
    "anon_inode:[io_uring]": "io-uring",
    "anon_inode:bpf-prog": "bpf-program",
    "anon_inode:bpf-map": "bpf-map",
    "anon_inode:[perf_event]": "perf-events",
    "anon_inode:[userfaultfd]": "page-faults",
    "anon_inode:kvm-vm": "virtual-machine",
}


class Obstacle:
    """bit: its place in the original's mask. word: of Hindrances.

    fatal: no dump is possible, else it is left out.
    """

    def __init__(self, bit: int, word: str, *, fatal: bool = True, **details: object) -> None:
        self.bit, self.word, self.fatal, self.details = bit, word, fatal, details

    @property
    def reason(self) -> "Reason":
        from containers.node.checkpoint.reason import Reason  # much, and seldom needed
        from containers.node.errors import Problem

        return Reason(Problem.HINDERED, {"fault": self.word, **self.details})


def obstacles(init: int) -> list[Obstacle]:
    """Of a running container, by the pid of its init; empty when there is none to be seen."""
    everyone = members(init)
    outside = strangers(init, everyone)
    own = [pid for pid in everyone if pid not in outside]
    return [
        *external(outside),
        *nested(init, own),
        *traced(everyone),
        *headless(own),
        *(() if paused(init) else waiting(everyone)),
        *file_systems(init, own),
        *node_files(init, own),
        *devices(init),
        *descriptors(own),
    ]


def members(init: int) -> list[int]:
    """All processes in the container's control group, and in the groups below it."""
    group = group_of(init)
    found = {init}
    for folder, _, _ in os.walk(group) if group else ():
        found.update(int(pid) for pid in read(f"{folder}/cgroup.procs").split())
    return sorted(found)


def group_of(pid: int) -> str:
    """Its folder in one hierarchy, the same for all: v1's freezer, or v2's. Empty for none."""
    found = {}
    for line in lines_in(read(f"/proc/{pid}/cgroup")):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    for kind, controller in (("cgroup", "freezer"), ("cgroup2", "")):
        top, path = hierarchy(kind, controller), found.get(controller, "/")
        if top and path != "/":
            return f"{top}{path}"
    return ""


def hierarchy(kind: str, controller: str) -> str:
    for line in lines_in(read("/proc/self/mountinfo")):
        where, _, what = line.partition(" - ")
        words = what.split(" ")
        if words[0] == kind and (not controller or controller in words[-1].split(",")):
            return where.split(" ")[4]
    return ""


def strangers(init: int, everyone: "Sequence[int]") -> set[int]:
    """Those that are not its init's descendants: they came in by an exec."""
    parents = {pid: parent_of(pid) for pid in everyone}
    found = set()
    for pid in everyone:
        above: int | None = pid
        while above in parents and above != init:
            above = parents[above]
        if above != init:
            found.add(pid)
    return found


def external(outside: set[int]) -> "Iterator[Obstacle]":
    for pid in sorted(outside):
        if state_of(pid) not in ("Z", "X", ""):
            yield Obstacle(cpu.EXTERNAL, "external-process", fatal=False, **who(pid))


def nested(init: int, own: "Sequence[int]") -> "Iterator[Obstacle]":
    usual = {kind: namespace(init, kind) for kind in NESTED}
    for pid in own:
        for kind, inode in usual.items():
            other = namespace(pid, kind)
            if other and inode and other != inode:
                if kind == "time":
                    yield Obstacle(cpu.NAMESPACES, "clocks", **who(pid))
                else:
                    yield Obstacle(cpu.NAMESPACES, "namespace", **who(pid), kind=kind)


def traced(everyone: "Sequence[int]") -> "Iterator[Obstacle]":
    """An exec's, too: they are frozen with the rest."""
    for pid in everyone:
        for task in tasks(pid):
            tracer = field(f"/proc/{pid}/task/{task}/status", "TracerPid:")
            if tracer not in ("", "0"):
                yield Obstacle(cpu.TRACED, "traced", **who(pid))
                break


def headless(own: "Sequence[int]") -> "Iterator[Obstacle]":
    for pid in own:
        if state_of(pid) == "Z" and len(tasks(pid)) > 1:
            yield Obstacle(cpu.MISC, "headless", **who(pid))


def waiting(everyone: "Sequence[int]") -> "Iterator[Obstacle]":
    """Those that wait in the kernel where nothing can halt them: for what a vfork has begun, or for
    a device or a file system that does not answer. Who only reads much goes on meanwhile."""
    still = {(pid, task): turns(pid, task) for pid in everyone for task in tasks(pid)
             if is_deaf(pid, task)}  # fmt: skip
    for _ in range(LOOKS if still else 0):
        time.sleep(LOOK)
        still = {(pid, task): seen for (pid, task), seen in still.items()
                 if is_deaf(pid, task) and turns(pid, task) == seen}  # fmt: skip
    for pid, task in still:
        begins = "clone" in (where := read(f"/proc/{pid}/task/{task}/wchan")) or "fork" in where
        yield Obstacle(cpu.MISC, "vfork" if begins else "uninterruptible", **who(pid))


def paused(init: int) -> bool:
    """By v1's freezer, where all of them seem to wait."""
    return read(f"{group_of(init)}/freezer.state").strip() not in ("", "THAWED")


def is_deaf(pid: int, task: int) -> bool:
    path = f"/proc/{pid}/task/{task}"
    return fields_of(read(f"{path}/stat"))[:1] == "D" and STOPPED not in read(f"{path}/wchan")


def turns(pid: int, task: int) -> str:
    """How often it has had a processor."""
    return field(f"/proc/{pid}/task/{task}/status", "\nvoluntary_ctxt_switches:")


def file_systems(init: int, inside: "Sequence[int]") -> "Iterator[Obstacle]":
    for mount in mounts.undumpable(init, inside):
        yield Obstacle(cpu.FILESYSTEM, "file-system", kind=mount.kind, path=plain(mount.where))


def node_files(init: int, inside: "Sequence[int]") -> "Iterator[Obstacle]":
    """Of mounts of mount scripts."""
    for mount, use in mounts.unrestorable(init, inside):
        name, path, where = name_of(use.pid), plain(use.path), plain(mount.where)
        if use.deleted:
            yield Obstacle(cpu.BIND, "deleted-file", name=name, pid=use.pid, path=path, mount=where)
        else:
            yield Obstacle(cpu.BIND, "remote-file", name=name, pid=use.pid, path=path, mount=where,
                           kind=mount.kind)  # fmt: skip


def devices(init: int) -> "Iterator[Obstacle]":
    for line in lines_in(read(f"/proc/{init}/net/dev"))[2:]:
        name = line.partition(":")[0].strip()
        if name not in FALLBACKS:
            yield Obstacle(cpu.NETDEV, "interface", fatal=False, name=plain(name))


def descriptors(own: "Sequence[int]") -> "Iterator[Obstacle]":
    seen = 0
    for pid in own:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                seen += 1
                if seen > MANY:
                    return
                with contextlib.suppress(OSError):
                    word = UNDUMPABLE.get(os.readlink(f"/proc/{pid}/fd/{fd}"))
                    if word:
                        yield Obstacle(cpu.MISC, word, **who(pid))


def namespace(pid: int, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def state_of(pid: int) -> str:
    return stat_of(pid)[:1]


def parent_of(pid: int) -> "int | None":
    fields = stat_of(pid).split()
    return int(fields[1]) if fields else None


def stat_of(pid: int) -> str:
    """What follows its name."""
    return fields_of(read(f"/proc/{pid}/stat"))


def fields_of(stat: str) -> str:
    return stat.rpartition(")")[2].lstrip()


def tasks(pid: int) -> list[int]:
    """Its threads."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def field(path: str, key: str) -> str:
    """The first word behind a key; empty for none."""
    return (read(path).partition(key)[2].split() or [""])[0]


def who(pid: int) -> "dict[str, Any]":
    """A process as the container's people know it."""
    return {"name": name_of(pid), "pid": inside(pid)}


def inside(pid: int) -> int:
    """Its pid as the container sees it; the node's where that can't be told."""
    numbers = read(f"/proc/{pid}/status").partition("NSpid:")[2].partition("\n")[0].split()
    return int(numbers[-1]) if numbers else pid


def name_of(pid: int) -> str:
    """What the process calls itself."""
    return plain(read(f"/proc/{pid}/comm").strip()) or "?"


def plain(text: str) -> str:
    """With nothing in it that a terminal would obey: the container's root has chosen it."""
    return "".join(char if char.isprintable() else "?" for char in text)


def read(path: str) -> str:
    """Empty when it's gone."""
    try:
        with open(path, "rb") as file:  # as text, a carriage return would end a line
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
