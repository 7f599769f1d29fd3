"""One worker a node: the lock that a node process, or pctl, holds while it is at work."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from containers.node.conf import NodeConf
from containers.node.errors import Locked, Problem

EAGER = 0.02  # seconds between two tries


def place(conf: NodeConf) -> Path:
    return conf.state / f"node-{conf.name}.lock"


@contextlib.contextmanager
def hold(
    conf: NodeConf, who: str, *, patience: float = 0.0, stopping: Event | None = None
) -> Iterator[None]:
    """Be the node's worker. Raises Locked, which names the holder, after so many seconds.

    stopping: set by another thread to end the patience.
    """
    stopping = stopping or Event()
    conf.state.mkdir(parents=True, exist_ok=True)
    file = os.open(place(conf), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline or stopping.wait(EAGER):
                    raise Locked(
                        Problem.NODE_BUSY, node=conf.name, holder=holder(conf) or "somebody"
                    ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{who} (pid {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(file)


def holder(conf: NodeConf) -> str:
    """Who is at work, as runnode (pid 123); empty when nobody is."""
    try:
        with place(conf).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return place(conf).read_text() or "somebody"
    except OSError:
        pass
    return ""
