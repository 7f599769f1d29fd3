"""Control groups that hold a script and all that it starts, so that it can be ended whole.

One hierarchy is enough for that: cgroup v2 where it is mounted (also beside v1), else v1's
freezer or pids. Limits of containers are the runtime's business, not this module's.

What is started in a container is in such a group from its first moment, by the runtime: that
names v1's hierarchies by their controllers, and v2's only where there is no v1.
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from containers.node.lines import lines_of

CLONE3, CLONE_INTO_CGROUP = 435, 0x200000000  # the system call's number on all machines
SWEEPS = 200  # a group without cgroup.kill is swept this often, 10 ms apart, before we give up


@dataclass(frozen=True)
class Group:
    """name: the path below the hierarchy's root, as in /panel/1a2b3c4d/monitors."""

    name: str
    place: Path | None = None  # the hierarchy, where it is not the usual one

    @classmethod
    def inside(cls, container: str, name: str = "") -> "Group":
        """One below the group of a container; without a name, the container's own."""
        return cls(f"{container}/{name}".rstrip("/"), mounted().get("freezer"))

    @property
    def path(self) -> Path:
        return (self.place or hierarchy()) / self.name.lstrip("/")

    @property
    def option(self) -> str:
        """As `runc exec --cgroup` wants to have it named, from the container's own."""
        last = self.name.rpartition("/")[2]
        return f"freezer:{last}" if self.place else last

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def add(self, pid: int = 0) -> None:
        """Move a process in; 0 is the caller."""
        (self.path / "cgroup.procs").write_text(f"{pid}")

    def fork(self) -> int:
        """As os.fork, but the child is in the group from its first moment on.

        Moving a process in makes the whole machine wait for 15 ms (an RCU grace period).
        """
        try:
            return born_in(self.path)
        except OSError:  # v1, an old kernel, or a filter of system calls
            child = os.fork()
            if not child:
                self.add()
            return child

    def processes(self) -> list[int]:
        try:
            return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]
        except (FileNotFoundError, OSError):
            return []

    def kill(self) -> None:
        """SIGKILL to every process in it; returns once none is left, or after two seconds."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
        with self.frozen():  # so that none of them can fork away
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for _ in range(SWEEPS):
            left = self.processes()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Where it is one of v1's freezer."""
        state = self.path / "freezer.state"
        if not state.exists():
            yield
            return
        try:
            state.write_text("FROZEN")
            yield
        finally:
            with contextlib.suppress(OSError):
                state.write_text("THAWED")

    def others(self) -> list[int]:
        """The processes in it but for the caller."""
        return [pid for pid in self.processes() if pid != os.getpid()]

    def hand_on(self, heir: "Group") -> None:
        """What runs in it moves to the heir, but for the caller."""
        if left := self.others():
            heir.make()
            for pid in left:
                with contextlib.suppress(OSError):
                    heir.add(pid)

    def remove(self, *, heir: "Group | None" = None) -> None:
        """Take the group away; what still runs in it moves to the heir."""
        if heir:
            self.hand_on(heir)
        with contextlib.suppress(OSError):
            self.path.rmdir()


# Both keep the interpreter's lock, as a fork must.
PYTHON, LIBC = ctypes.pythonapi, ctypes.PyDLL(None, use_errno=True)


def born_in(group: Path) -> int:
    directory = os.open(group, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        wish = Clone(flags=CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=directory)
        PYTHON.PyOS_BeforeFork()
        pid = LIBC.syscall(CLONE3, ctypes.byref(wish), ctypes.c_size_t(ctypes.sizeof(wish)))
        if pid == 0:
            PYTHON.PyOS_AfterFork_Child()
            return 0
        PYTHON.PyOS_AfterFork_Parent()
        if pid < 0:
            raise OSError(ctypes.get_errno(), "clone3")
        return int(pid)
    finally:
        os.close(directory)


class Clone(ctypes.Structure):
    """struct clone_args (linux/sched.h)."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in ("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack",
                     "stack_size", "tls", "set_tid", "set_tid_size", "cgroup")
    ]  # fmt: skip


def hierarchy() -> Path:
    """The mounted hierarchy that is used to hold and to end processes."""
    found = mounted()
    for name in ("cgroup2", "freezer", "pids"):
        if name in found:
            return found[name]
    raise RuntimeError("no cgroup hierarchy is mounted on this machine")


@cache
def mounted() -> dict[str, Path]:
    """Where cgroup2, and of v1 freezer and pids, are mounted; the first mount counts."""
    found: dict[str, Path] = {}
    for line in lines_of("/proc/self/mountinfo"):
        place, _, kind = line.partition(" - ")
        what, _, options = kind.split(" ", 2)
        names = {"cgroup2": ["cgroup2"], "cgroup": options.rsplit(" ", 1)[-1].split(",")}
        for name in names.get(what, []):
            if name in ("cgroup2", "freezer", "pids"):
                found.setdefault(name, Path(place.split(" ")[4]))
    return found
