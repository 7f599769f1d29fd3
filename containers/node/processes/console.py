"""A container's console: what is written to it is kept, and who floods it has to wait."""

import array
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KEPT = 1024 * 1024  # bytes; then the file becomes console.1
QUIET = 0.1  # seconds before a console nobody has open is read again
RATE = 2 * 1024 * 1024  # bytes a second that are read
TAIL = 4096  # bytes of what was written last, at hand


@dataclass
class Console:
    """The node's ends of it, one for each time the runtime made the container."""

    file: Path
    awake: list[int] = field(default_factory=list)
    asleep: list[tuple[float, int]] = field(default_factory=list)  # until when
    tail: bytes = b""

    def wake(self) -> float | None:
        """Have those listened to again whose time has come; in how many seconds the next is due."""
        now = time.monotonic()
        self.awake += [fd for at, fd in self.asleep if at <= now]
        self.asleep = [(at, fd) for at, fd in self.asleep if at > now]
        return min([at - now for at, _ in self.asleep], default=None)

    def add(self, listener: socket.socket) -> None:
        """Take the node's end, which the runtime hands over."""
        connection, _ = listener.accept()
        with connection:
            _, extras, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        found = array.array("i")
        for _, _, data in extras:
            found.frombytes(data[:4])
        self.awake.append(found[0])

    def read(self, fd: int) -> None:
        try:
            said = os.read(fd, 65536)
        except OSError:  # EIO: nobody has the other end open just now; ours stays good
            said = b""
        if said:
            self.keep(said)
        self.awake.remove(fd)
        self.asleep.append((time.monotonic() + (len(said) / RATE or QUIET), fd))

    def drain(self) -> None:
        """Keep what was written last; nobody is left who could write more."""
        for fd in (*self.awake, *(fd for _, fd in self.asleep)):
            os.set_blocking(fd, False)
            with contextlib.suppress(OSError):
                while said := os.read(fd, 65536):
                    self.keep(said)

    def keep(self, said: bytes) -> None:
        self.tail = (self.tail + said)[-TAIL:]
        path = self.file
        with contextlib.suppress(OSError):  # a full disk is no reason to leave the container
            if path.exists() and path.stat().st_size > KEPT:
                path.replace(path.with_suffix(".1"))
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(said)


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """The socket to which a runtime brings the node's end."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}")
        path.chmod(0o600)
        listener.listen(4)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)
