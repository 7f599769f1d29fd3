"""Stopped processes (Ctrl-Z, SIGSTOP), which CRIU can't seize where v1's freezer holds them.

To be seized a stopped process has to run a little in the kernel, which one that is frozen can't:
CRIU would wait for ever, and everybody with it. So they are continued once they are frozen, when
they run nothing of their own, written down as stopped in the images, and stopped again before
anybody goes on. Where v2's freezer is used CRIU does all of that.
"""

import contextlib
import os
import signal
import struct
from dataclasses import dataclass
from pathlib import Path

from containers.node import observed
from containers.node.checkpoint import obstacles
from containers.node.checkpoint.userids import ID, Schema, exchanged
from containers.node.errors import OperationError, Problem
from containers.node.layout import Layout
from containers.node.lines import lines_of
from containers.node.observed import Init

STOPPED = 3  # COMPEL_TASK_STOPPED
CORE: Schema = {3: {1: ID}}  # of CRIU's core_entry: tc, and its task_state


@dataclass(frozen=True)
class Process:
    """inside: its pid as the container sees it."""

    pid: int
    started: int
    inside: int

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(OSError):
            if fd := observed.pidfd(Init(self.pid, self.started)):
                try:
                    signal.pidfd_send_signal(fd, number)
                finally:
                    os.close(fd)


def found(paths: Layout) -> list[Process]:
    """Those of a container whose processes are frozen, or will be, by v1's freezer."""
    init = observed.init_of(paths)
    if init is None or "freezer" not in observed.cgroup_paths(paths):
        return []
    return [
        Process(pid, observed.started(pid) or 0, obstacles.inside(pid))
        for pid in obstacles.members(init.pid)
        if is_stopped(pid)
    ]


def is_stopped(pid: int) -> bool:
    state = obstacles.state_of(pid)
    where = obstacles.read(f"/proc/{pid}/wchan") if state == "D" else ""
    return state == "T" or where == obstacles.STOPPED


def resume(processes: list[Process], note: Path) -> None:
    """Continue frozen ones. note: where they are written down first, for stop."""
    note.write_text("".join(f"{each.pid} {each.started} {each.inside}\n" for each in processes))
    for each in processes:
        each.signal(signal.SIGCONT)


def stop(note: Path) -> None:
    """Stop those again that were continued; any number of times."""
    for each in noted(note):
        each.signal(signal.SIGSTOP)
    note.unlink(missing_ok=True)


def mark(images: Path, note: Path) -> None:
    """Have the images say that they are stopped: a restore stops them before they run."""
    for each in noted(note):
        image = images / f"core-{each.inside}.img"
        if image.exists():  # else it is an exec's, and not dumped
            try:
                image.write_bytes(exchanged(image.read_bytes(), CORE, lambda state: STOPPED))
            except (IndexError, ValueError, struct.error) as e:
                raise OperationError(Problem.IMAGE_UNREADABLE, name=image.name) from e


def noted(note: Path) -> list[Process]:
    try:
        return [Process(*map(int, line.split())) for line in lines_of(note)]
    except (FileNotFoundError, TypeError, ValueError):  # half written: nobody was continued
        return []
