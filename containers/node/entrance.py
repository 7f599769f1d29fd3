"""How a command comes into a running container: once that goes on, and with its init's clocks.

CRIU gives restored processes a time namespace, so that they see no jump. No runtime enters it, and
a process that an exec leaves behind with other clocks than its init's can't be dumped.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from containers.node import observed
from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.layout import Layout
from containers.node.observed import Init
from containers.node.processes.run import call

Argv = list[str]
PATIENCE, LOOK = 30.0, 0.02  # seconds that a container may stand still, and between two looks
STARTED = 19  # of the fields behind a process's name in /proc/PID/stat
RECORD = "state.json"  # what a runtime knows of a container


class Restored(Layout):
    """The same container, as one looks for its runtime's record from within its time."""

    @property
    def runc_root(self) -> Path:
        return self.bundle / "within"


def entering(paths: Layout, command: Callable[[Layout], Argv]) -> Argv:
    """A runtime's command that runs something in a container, so that it has the init's clocks.

    A runtime tells an init from a later process by when it started, and reads another time there:
    so it is given a copy of its record that says that one. Without a time namespace nothing is
    done but to look. Raises OperationError when it stands still for long.
    """
    wait_for(paths)
    init = observed.init_of(paths)
    if init is None or not init.alive or clock_of(init.pid) == clock_of(os.getpid()):
        return command(paths)
    within = ["nsenter", f"--time=/proc/{init.pid}/ns/time"]
    record = {**observed.runtime_record(paths), "init_process_start": started(within, init)}
    there = Restored(paths.node, paths.ctid)
    place = there.runc_root / f"{paths.ctid}"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = place / f"{RECORD}.{os.getpid()}"
    fresh.write_text(json.dumps(record))
    fresh.rename(place / RECORD)
    return [*within, *command(there)]


def wait_for(paths: Layout) -> None:
    """A container stands still while its processes are saved: no runtime runs anything in it."""
    deadline = time.monotonic() + PATIENCE
    while observed.paused(paths):
        if time.monotonic() > deadline:
            raise OperationError(Problem.STANDS_STILL)
        time.sleep(LOOK)


def clock_of(pid: int) -> str:
    """Empty where the kernel has no such namespaces, or the process is gone."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/time")
    return ""


def started(within: Argv, init: Init) -> int:
    """When it started, in clock ticks, as one reads it there.

    Asked of the kernel and not computed: it is rounded after the shift.
    """
    said = call([*within, "cat", f"/proc/{init.pid}/stat"]).decode(errors="replace")
    fields = said.rpartition(")")[2].split()
    if len(fields) <= STARTED:
        raise CommandFailed(within, 1)
    return int(fields[STARTED])
