"""That a container's init has come up, and goes on: no start is told as done before.

An init that can't run ends within milliseconds. One that has begun to start others has come up,
which can be seen at once; one that has no children is watched for a moment. What dies later in its
first seconds makes a failure of a start that was told as done (the worker's business).
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from containers.node import monitor, observed
from containers.node.ct import Ct
from containers.node.death import Death
from containers.node.errors import Code
from containers.node.observed import Init
from containers.node.plan import Step
from containers.node.spool import Spool
from containers.node.states import State

LOOK = 0.001  # seconds between two looks at whether it has children
MOMENT = 0.25  # seconds that an init without children has to live
BUSY = 2.0  # seconds, where it does not come to rest
RESTORED = 0.05  # seconds that restored processes have to
PROBATION = 1.5  # seconds, where there is no way back afterwards
LAST_WORDS = 5.0  # seconds until its monitor has told how it ended


def come_up(ct: Ct) -> None:
    """Wait until it has. Raises what says how it ended."""
    with watched(ct) as (init, fd):
        began = time.monotonic()
        while not has_children(init.pid):
            live(ct, fd, LOOK)
            if time.monotonic() - began > (MOMENT if observed.sleeps(init.pid) else BUSY):
                return


def go_on(ct: Ct, seconds: float = PROBATION, code: Code | None = None) -> None:
    """Wait until it has lived that long. Raises what says how it ended."""
    with watched(ct, code) as (_, fd):
        lived = time.time() - ct.paths.let_go.stat().st_mtime
        live(ct, fd, max(0.0, seconds - lived), code)


@contextlib.contextmanager
def watched(ct: Ct, code: Code | None = None) -> Iterator[tuple[Init, int]]:
    """Its init, and a descriptor that is readable once that has ended."""
    init = observed.init_of(ct.paths)
    fd = observed.pidfd(init) if init else None
    if init is None or fd is None:
        raise death(ct).error(code)
    try:
        yield init, fd
    finally:
        os.close(fd)


def live(ct: Ct, fd: int, seconds: float, code: Code | None = None) -> None:
    if ct.executor.wait(fd, seconds):
        raise death(ct).error(code)


def has_children(pid: int) -> bool:
    """It has none before it is itself: a runtime's process, until then, starts nobody."""
    try:
        return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())
    except OSError:  # gone, or a kernel without this file
        return False


def death(ct: Ct) -> Death:
    """As its monitor tells it, which goes as soon as it has."""
    with contextlib.suppress(ProcessLookupError):
        if pid := Spool(ct.paths.monitor).pid():
            fd = os.pidfd_open(pid)
            try:
                ct.executor.wait(fd, LAST_WORDS)
            finally:
                os.close(fd)
    return Death.of(monitor.last_event(ct.paths))


def require_alive(ct: Ct) -> None:
    """Of one that an operation leaves running: it may have ended since it had come up."""
    if ct.dry_run or ct.state is not State.RUNNING:
        return
    init = observed.init_of(ct.paths)
    if init and not init.alive and (found := death(ct)).early:
        raise found.error()


GO_ON = Step("go-on", "check that its init keeps running", do=go_on)
