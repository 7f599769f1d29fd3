"""A spool: where a runner writes what happens, and the node reads it from.

<state>/spool/<operation>/
    request.json   what to do: everything the runner needs to know, for it asks no database
    log            what was said, byte for byte, only ever appended to; past its limit a hole
    cut            where the hole is: offsets of its first byte and of the first behind it
    events         the journal: a JSON object a line, on disk before what may have to be undone
    runner         locked (fcntl, by its open description) by the runner while it lives; its pid

events: {n, t, ev, …}, n counting from 0, t in seconds since 1970:
    plan     steps: [{label, where, step}]; their place in the list is i below
    began    i, step, label, where, undo, off (in log)      skipped   i
    ended    i, code, signal, error, ignored, off
    script   i, scope, action, sha256, version, foreign
    fact     key, value                                     state     state
    end      progress, code, error, problem, details, undone: [{step, label}], state, lost, off
    aside    off, end: a line of the log that only staff read
    cgroup   group
Steps of an undo follow those of the plan: their i goes on counting.
"""

import contextlib
import errno
import fcntl
import json
import os
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node.bound import DEFAULT, MIB, Bound, Cut
from containers.node.draft import written_beside
from containers.node.errors import NoSpace, Problem

Event = dict[str, Any]
AT_ONCE = 64 * 1024  # bytes of the log that are written in one go
KEEP_SIZE, PUNCH_HOLE = 1, 2  # modes of fallocate(2)
LITTLE = 16 * 1024  # bytes
RESERVE = 256 * 1024  # bytes of the journal's disk space taken beforehand: it must never be full
ROOM_TIMEOUT = 30.0  # seconds a writer waits for room on a full disk
COLOUR, PLAIN = "\x1b[1;34m", "\x1b[0m"  # around a line of the panel's own
WHOLE = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid
EXCLUSIVE = WHOLE.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


@dataclass(frozen=True)
class Spool:
    path: Path

    @property
    def request(self) -> Path:
        return self.path / "request.json"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def events(self) -> Path:
        return self.path / "events"

    @property
    def runner(self) -> Path:
        return self.path / "runner"

    @property
    def cut_file(self) -> Path:
        return self.path / "cut"

    def cut(self) -> Cut:
        """What of the log is not kept. Bytes read from it count if they lie outside afterwards."""
        try:
            return Cut(*map(int, self.cut_file.read_text().split()))
        except FileNotFoundError:
            return Cut()

    def write_cut(self, cut: Cut) -> None:
        with written_beside(self.cut_file, self.cut_file.with_suffix(".new")) as draft:
            write_closed(draft, f"{cut.begin} {cut.end}")

    def bound(self) -> Bound:
        """How much of the log is kept, as its request says."""
        try:
            return Bound((self.read_request().get("log_limit") or DEFAULT) * MIB)
        except FileNotFoundError:
            return Bound()

    def write_request(self, request: Mapping[str, Any]) -> None:
        """Make the spool; the request is there whole or not at all, after a power cut if kept.

        Raises NoSpace.
        """
        with needing_room():
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with written_beside(self.request, self.request.with_suffix(".new")) as draft:
                write_closed(draft, json.dumps(request))

    def require_room(self) -> None:
        """For a file or two with a few lines in them. Raises NoSpace."""
        probe = self.path / "room"
        try:
            with needing_room():
                write_closed(probe, " " * LITTLE)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)

    def keep_request(self) -> None:
        """See to it that it is on the disk."""
        with self.request.open("rb") as file:
            os.fsync(file.fileno())

    def read_request(self) -> dict[str, Any]:
        return dict(json.loads(self.request.read_text()))

    def read_events(self, offset: int = 0) -> tuple[list[Event], int]:
        """The whole lines from a byte offset on, and the offset behind them."""
        try:
            with self.events.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.split(b"\n")[:-1]], offset + len(whole)

    def alive(self) -> bool:
        """Whether its runner lives."""
        return self.pid() is not None

    def pid(self) -> int | None:
        """The pid of its living runner."""
        with contextlib.suppress(FileNotFoundError, ValueError), self.runner.open() as file:
            # Not by trying to lock it: a runner that begins just then would find it taken.
            found, *_ = WHOLE.unpack(fcntl.fcntl(file, fcntl.F_OFD_GETLK, EXCLUSIVE))
            if found != fcntl.F_UNLCK:
                return int(file.read() or 0) or None
        return None

    @contextlib.contextmanager
    def hold(self) -> Iterator[bool]:
        """Be its runner; False when somebody is already. Raises NoSpace."""
        with needing_room():
            file = os.open(self.runner, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, EXCLUSIVE)
        except BlockingIOError:
            os.close(file)
            yield False
            return
        try:
            with needing_room():
                os.ftruncate(file, 0)
                os.pwrite(file, f"{os.getpid()}".encode(), 0)
            yield True
        finally:
            os.close(file)


@dataclass
class Writer:
    """The runner's end of a spool. Every write is followed by a nudge: something new is there.

    Raises NoSpace when it can't be begun.
    """

    spool: Spool
    nudge: "Nudge"
    patience: float = ROOM_TIMEOUT
    bound: Bound = field(default_factory=Bound)
    cut: Cut = field(default_factory=Cut)
    n: int = 0
    off: int = 0
    lost: int = 0  # bytes of output for which there was no room
    full: bool = False  # room was waited for, and there was none
    _log: int = field(default=-1, repr=False)
    _events: int = field(default=-1, repr=False)

    def __post_init__(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with needing_room():
            self._log = os.open(self.spool.log, flags, 0o600)
            self._events = os.open(self.spool.events, flags, 0o600)
        events, whole = self.spool.read_events()
        os.ftruncate(self._events, whole)  # a runner may have died in the middle of a line
        self.n = len(events)
        self.off = os.fstat(self._log).st_size
        self.cut = self.spool.cut()

    def reserve(self) -> None:
        """Take room for the journal, so that a full disk doesn't end it. Raises NoSpace."""
        with contextlib.suppress(OSError), needing_room():  # where the file system can't do that
            fallocate(self._events, KEEP_SIZE, 0, RESERVE)

    def close(self) -> None:
        os.close(self._log)
        os.close(self._events)

    def event(self, ev: str, *, durable: bool = False, **fields: Any) -> None:
        """Note it, whole or not at all; raises NoSpace.

        durable: all that was noted so far is on disk before this returns.
        """
        line = json.dumps({"n": self.n, "t": time.time(), "ev": ev, **fields}).encode() + b"\n"
        before = os.fstat(self._events).st_size
        if self.append(self._events, line, self.patience) < len(line):
            os.ftruncate(self._events, before)
            raise NoSpace(Problem.LOG_FULL)
        if durable:
            os.fdatasync(self._events)
        self.n += 1
        self.nudge(urgent=ev == "end")

    def write(self, data: bytes) -> None:
        """Append to the log. Room is waited for, but once only; then raises NoSpace."""
        for begin in range(0, len(data), AT_ONCE):
            self.write_piece(data[begin : begin + AT_ONCE])

    def write_piece(self, data: bytes) -> None:
        cut = self.bound.cut(self.off + len(data), self.cut)
        if cut != self.cut:
            self.give_up(cut)
        written = self.append(self._log, data, 0 if self.full else self.patience)
        self.off += written
        self.full = written < len(data)
        if self.full:
            self.lost += len(data) - written
            raise NoSpace(Problem.LOG_FULL)
        self.nudge()

    def give_up(self, cut: Cut) -> None:
        """Keep no more of the log's middle. Told first: who reads a hole must find out."""
        try:
            self.spool.write_cut(cut)
        except OSError as e:
            raise NoSpace(Problem.LOG_FULL) from e
        begin = max(cut.begin, self.cut.end)
        self.cut = cut
        with contextlib.suppress(OSError):  # a file system without holes keeps it a while longer
            fallocate(self._log, PUNCH_HOLE | KEEP_SIZE, begin, cut.end - begin)

    def append(self, file: int, data: bytes, patience: float) -> int:
        """How many bytes of it there was room for, within so many seconds."""
        view, done, deadline = memoryview(data), 0, time.monotonic() + patience
        while done < len(data):
            try:
                done += os.write(file, view[done:])
            except OSError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(min(0.2, patience))
        return done

    def say(self, line: str) -> None:
        """A line of the panel's own."""
        with contextlib.suppress(NoSpace):
            self.write(own(line))

    def tell_staff(self, line: str) -> None:
        """A line of the panel's own that only staff read: customers have other words for it."""
        with contextlib.suppress(NoSpace):
            self.event("aside", off=self.off, end=self.off + len(own(line)))
            self.write(own(line))


def own(line: str) -> bytes:
    return f"{COLOUR}{line}{PLAIN}\n".encode()


@dataclass(frozen=True)
class Nudge:
    """Tells the node, by a datagram, that a spool has grown. Nobody there: nothing happens."""

    doorbell: Path
    what: str

    def __call__(self, *, urgent: bool = False) -> bool:
        """Whether somebody was there. urgent: look at once, for this is all."""
        import socket

        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell,
        ):
            bell.sendto(f"{self.what}{'!' * urgent}".encode(), f"{self.doorbell}")
            return True
        return False


@contextlib.contextmanager
def needing_room() -> Iterator[None]:
    """Raises NoSpace where the disk has none."""
    try:
        yield
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(Problem.LOG_FULL) from e
        raise


def write_closed(path: Path, text: str) -> None:
    """For nobody else to read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def fallocate(fd: int, mode: int, offset: int, size: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(size)):
        raise OSError(ctypes.get_errno(), "fallocate")
