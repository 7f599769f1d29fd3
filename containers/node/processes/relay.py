"""The caller's own stdin, stdout and stderr for a command in a container, as long as it lives.

What it leaves running in the background has the same pipes and would hold them open: as with
vzctl, nobody waits for that. What it had written when the command ended is still handed on.
"""

import array
import contextlib
import ctypes
import fcntl
import os
import select
import signal
import termios
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from containers.node.descriptors import closing
from containers.node.errors import TimedOut
from containers.node.processes.run import ends, starting

PR_SET_CHILD_SUBREAPER = 36
CHUNK = 64 * 1024
STARTING = 15.0  # seconds a runtime may take to start something in a container
FOR_THE_COMMAND = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
KILLED = 128  # what a shell adds to the number of the signal


def run(argv: Sequence[str], pid_file: Path, *, owner: int, source: int = 0) -> int:
    """Run a command that starts a process, writes its pid to pid_file and leaves.

    The process has three anonymous pipes, which CRIU can dump; what comes from source, and the
    signals that end us, are for it. Returns its exit code, counted as shells do. owner: of its
    session keyring. Raises CannotStart, TimedOut; when the command fails, it has said why.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with contextlib.ExitStack() as ours, hearing(*FOR_THE_COMMAND) as forward:
        relay = Relay(source)
        ours.callback(relay.close)
        try:
            code, pid = begun(argv, pid_file, relay.pipes(), owner)
            if code:
                relay.rest()
                return code
        finally:
            pid_file.unlink(missing_ok=True)
        with closing(os.pidfd_open(pid)) as ended:
            forward(lambda number: os.killpg(pid, number))
            relay.until(ended)
        forward(lambda number: None)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code if code >= 0 else KILLED - code


def begun(argv: Sequence[str], pid_file: Path, pipes: Sequence[int], owner: int) -> tuple[int, int]:
    """The exit code of the command, and when that is 0 the pid of what it has started."""
    stdin, stdout, stderr = pipes
    with contextlib.ExitStack() as theirs:
        for fd in pipes:
            theirs.callback(os.close, fd)
        with starting(argv, stdin=stdin, stdout=stdout, stderr=stderr, owner=owner) as process:
            if not ends(process.pid, STARTING):
                process.kill()
                raise TimedOut(argv, STARTING)
            code = process.wait()
    return (code, 0) if code else (0, int(pid_file.read_text()))


@contextlib.contextmanager
def hearing(
    *signals: signal.Signals,
) -> Iterator[Callable[[Callable[[int], object]], None]]:
    """Signals wait until somebody tells what is to be done about them."""
    heard: list[int] = []
    deal: list[Callable[[int], object]] = [heard.append]

    def hear(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            deal[0](number)

    def forward(how: Callable[[int], object]) -> None:
        deal[0] = how
        while heard:
            hear(heard.pop(0), None)

    before = {each: signal.signal(each, hear) for each in signals}
    try:
        yield forward
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@dataclass
class Relay:
    """source: where its input comes from. sinks: our output for each of its own."""

    source: int
    sinks: dict[int, int] = field(default_factory=dict)
    feed: int = -1
    waiting: bytes = b""  # input that it has not taken yet

    def pipes(self) -> tuple[int, int, int]:
        """Its ends; ours are kept."""
        stdin, self.feed = os.pipe()
        os.set_blocking(self.feed, False)
        ends = []
        for sink in (1, 2):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            self.sinks[reader] = sink
            ends.append(writer)
        return stdin, ends[0], ends[1]

    def close(self) -> None:
        self.end_input()
        for reader in [*self.sinks]:
            self.end_output(reader)

    def until(self, ended: int) -> None:
        """Hand on input and output until a descriptor is readable; then what is written by then."""
        while True:
            poll = select.poll()
            poll.register(ended, select.POLLIN)
            for reader in self.sinks:
                poll.register(reader, select.POLLIN)
            if self.feed >= 0:
                poll.register(self.feed, select.POLLOUT if self.waiting else 0)
                if not self.waiting:
                    poll.register(self.source, select.POLLIN)
            ready = dict(poll.poll())
            if ended in ready:
                return self.rest()
            if self.feed in ready:
                self.write_input(ready[self.feed])
            elif self.source in ready:
                self.read_input()
            for reader in [reader for reader in self.sinks if reader in ready]:
                self.hand_on(reader, CHUNK)

    def rest(self) -> None:
        """No more than there is now: what it has left running may write for ever."""
        for reader in [*self.sinks]:
            left = array.array("i", [0])
            fcntl.ioctl(reader, termios.FIONREAD, left)
            if left[0]:
                self.hand_on(reader, left[0])

    def read_input(self) -> None:
        try:
            self.waiting = os.read(self.source, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # it was closed, or the terminal has gone
            self.waiting = b""
        if not self.waiting:
            self.end_input()

    def write_input(self, event: int) -> None:
        try:
            if event & select.POLLERR:
                raise BrokenPipeError
            self.waiting = self.waiting[os.write(self.feed, self.waiting) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # nobody reads it any more
            self.end_input()

    def hand_on(self, reader: int, most: int) -> None:
        """When ours has no reader any more, its own shall find none either."""
        try:
            said = os.read(reader, most)
            write_all(self.sinks[reader], said)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self.end_output(reader)

    def end_input(self) -> None:
        if self.feed >= 0:
            os.close(self.feed)
            self.feed = -1

    def end_output(self, reader: int) -> None:
        del self.sinks[reader]
        os.close(reader)


def write_all(sink: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(sink, data) :]
        except BlockingIOError:  # somebody shares it who does not want to wait
            poll = select.poll()
            poll.register(sink, select.POLLOUT)
            poll.poll()
