"""A container's console, for somebody at a terminal: what it says, and what is typed.

Its monitor has the node's end, and goes on keeping what is written to it. We read that, and type
with a copy of the monitor's descriptor.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from containers.node import observed
from containers.node.descriptors import closing
from containers.node.errors import OperationError, Problem
from containers.node.layout import Layout
from containers.node.spool import Spool

PIDFD_GETFD = 438  # on all machines but alpha
MULTIPLEXER = "ptmx"
TICK = 0.03  # seconds between two looks for what it says
CHUNK = 64 * 1024
ESCAPE, DETACH = b"\x1b", b"."
SHOWN = 2048  # bytes of what it has said before


@dataclass
class Keys:
    """What is typed, without the keys that detach: Esc and then a dot where a line begins."""

    beginning: bool = True
    held: bytes = b""
    detached: bool = False

    def typed(self, data: bytes) -> bytes:
        """What is to go on to the console."""
        passed = b""
        for key in (data[i : i + 1] for i in range(len(data))):
            if self.held and key == DETACH:
                self.detached = True
                return passed
            passed += self.held
            self.held = b""
            if self.beginning and key == ESCAPE:
                self.held = key
                continue
            passed += key
            self.beginning = key in (b"\r", b"\n")
        return passed


@dataclass
class Said:
    """What the monitor keeps, from here on; it begins a new file now and then."""

    path: Path
    file: IO[bytes] | None = None
    number: int = 0

    def close(self) -> None:
        if self.file:
            self.file.close()

    def begin(self) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            self.open()
        if self.file:
            self.file.seek(max(0, self.path.stat().st_size - SHOWN))
        return self.more()

    def open(self) -> None:
        self.close()
        self.file = self.path.open("rb")
        self.number = os.fstat(self.file.fileno()).st_ino

    def more(self) -> bytes:
        said = self.file.read(CHUNK) if self.file else b""
        if not said:
            with contextlib.suppress(FileNotFoundError):
                if self.path.stat().st_ino != self.number:
                    self.open()
                    return self.file.read(CHUNK) if self.file else b""
        return said


def attach(paths: Layout, source: int = 0, sink: int = 1) -> bool:
    """Until somebody detaches, or the container has ended: then False. Raises OperationError."""
    init = observed.init_of(paths)
    ended = observed.pidfd(init) if init else None
    if ended is None:
        raise OperationError(Problem.NOT_RUNNING)
    said = Said(paths.monitor / "console")
    with contextlib.ExitStack() as ours:
        ours.enter_context(closing(ended))
        console = ours.enter_context(closing(node_end(paths)))
        ours.enter_context(raw(source))
        ours.enter_context(sized(source, console))
        ours.callback(said.close)
        return relayed(said, console, ended, source, sink)


def relayed(said: Said, console: int, ended: int, source: int, sink: int) -> bool:
    keys = Keys()
    write(sink, said.begin())
    watched = [ended, source]
    while True:
        ready, _, _ = select.select(watched, [], [], TICK)
        write(sink, said.more())
        if ended in ready:
            write(sink, said.more())
            return False
        if source in ready:
            try:
                data = os.read(source, CHUNK)
            except OSError:
                data = b""
            write(console, keys.typed(data))
            if keys.detached or not data:
                return True


def write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def node_end(paths: Layout) -> int:
    """Raises OperationError where nobody has it: its monitor has died since it started."""
    monitor = Spool(paths.monitor).pid()
    found = monitors_end(monitor) if monitor else None
    if found is None:
        raise OperationError(Problem.NO_CONSOLE)
    return found


def monitors_end(monitor: int) -> int | None:
    for place in sorted(Path(f"/proc/{monitor}/fd").iterdir(), reverse=True):
        with contextlib.suppress(OSError):
            if os.readlink(place).endswith(f"/{MULTIPLEXER}"):
                with closing(os.pidfd_open(monitor)) as process:
                    fd = ctypes.CDLL(None).syscall(PIDFD_GETFD, process, int(place.name), 0)
                if fd >= 0:
                    return int(fd)
    return None


@contextlib.contextmanager
def raw(source: int) -> Iterator[None]:
    """Every key goes to the console, Ctrl-C too."""
    if not os.isatty(source):
        yield
        return
    before = termios.tcgetattr(source)
    tty.setraw(source)
    try:
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)


@contextlib.contextmanager
def sized(source: int, console: int) -> Iterator[None]:
    """It is as large as our terminal, as long as we look."""

    def follow(number: int = 0, frame: FrameType | None = None) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8)
            if size[:4] != b"\0" * 4:
                fcntl.ioctl(console, termios.TIOCSWINSZ, size)

    before = signal.signal(signal.SIGWINCH, follow)
    follow()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
