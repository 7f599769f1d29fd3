"""A child forked beforehand, which waits for its order: a fork takes as long as a short script."""

import gc
import os
import select
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 65536  # bytes of an order or an answer


@dataclass
class Prefork:
    """The parent's end. The child ends when it is dropped without an order."""

    pid: int
    line: socket.socket

    @classmethod
    def fork(cls, work: Callable[[socket.socket], None], fork: Callable[[], int]) -> "Prefork":
        """The child does work with its end of the line, and ends. fork: how it is born."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if child := fork():
            theirs.close()
            return cls(child, ours)
        try:
            ours.close()
            work(theirs)
        except BaseException:  # there is nobody above us to tell
            traceback.print_exc()
        finally:
            os._exit(0)

    def order(self, what: bytes) -> None:
        """Raises OSError when it is not there any more."""
        self.line.send(what)

    def answer(self) -> bytes:
        """Wait for what it says; empty when it has ended without a word."""
        with self.line:
            return self.line.recv(LONGEST)


def ordered(line: socket.socket) -> bytes:
    """Wait for the order; empty when there will be none."""
    if not select.select([line], [], [], 0)[0]:
        own_memory()
    return line.recv(LONGEST)


def own_memory() -> None:
    """Have the kernel copy now what is shared with the parent, not page by page at work."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
