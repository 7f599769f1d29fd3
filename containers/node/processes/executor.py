"""How a runner runs things: output to its log, an end when it has to be."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from containers.node.descriptors import closing
from containers.node.errors import Cancelled, CommandFailed, OperationError, TimedOut
from containers.node.processes.cgroup import Group
from containers.node.processes.run import QUIET_COMMAND_TIMEOUT, call, starting
from containers.node.processes.runner_cgroup import RunnerCgroup

CHUNK = 64 * 1024
DRAIN = 0.2  # seconds that output may still arrive after its process has ended
UMASK = 0o022  # of scripts and commands: what they make, others may read. Ours is 077.
STARTING = 15.0  # seconds a runtime may take to start something in a container

Out = Callable[[bytes], None]


@dataclass
class Executor:
    """How a runner runs things: output to its log, an end at a time limit or when cancelled.

    out: where output goes, byte for byte.
    cancel: a descriptor that is readable once the operation is to end; read empty when obeyed,
    so that undo steps run, and a second cancel ends the undo step that runs then.
    runner_cgroup: the control group that holds the caller and what it runs, where there is one.
    """

    out: Out
    cancel: int = -1
    runner_cgroup: RunnerCgroup | None = None
    undoing: bool = False  # what a cancel asks for is done already

    def spare_undo(self) -> None:
        """What has begun is undone now, though not cancelled: only a second cancel ends that."""
        self.undoing = True

    def cancelled(self) -> bool:
        """Whether a cancel that has come is to end what runs."""
        os.read(self.cancel, CHUNK)
        heeded, self.undoing = not self.undoing, False
        return heeded

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        ok: Collection[int] = (0,),
        timeout: float | None = None,
        terminal: bool = False,
        whole: bool = False,
        umask: int = -1,
    ) -> int:
        """Run argv to its end, its output going out as it comes; returns its exit code.

        terminal: give it a pseudo terminal to write to, so that programs don't hold output back.
        whole: when it is to be ended, so is all that it has started, be it in another session.
        timeout: seconds. Raises CommandFailed, TimedOut or Cancelled.
        """
        reader, writer = terminal_pair() if terminal else os.pipe()
        with closing(reader), contextlib.ExitStack() as ours:
            ours.callback(os.close, writer)
            feed = subprocess.PIPE if stdin else subprocess.DEVNULL
            with starting(argv, stdin=feed, stdout=writer, stderr=writer, env=env,
                          umask=umask) as process:  # fmt: skip
                ours.close()
                if process.stdin:
                    feeding(process.stdin.fileno(), stdin, process.stdin.close)
                session = partial(end_session, process.pid)
                kill = self.runner_cgroup.end_others if whole and self.runner_cgroup else session
                self.attend(argv, process.pid, reader, timeout, kill)
                code = process.wait()
        if code not in ok:
            raise CommandFailed(argv, code)
        return code

    def run_detached(
        self,
        argv: Sequence[str],
        pid_file: Path,
        *,
        stdin: bytes,
        timeout: float | None = None,
        group: Group | None = None,
        owner: int | None = None,
    ) -> int:
        """Run a command that starts a process, writes its pid to pid_file and leaves.

        The process becomes ours (the caller is a subreaper); it gets stdin through a pipe and
        writes to an anonymous pipe, the one thing of the host's that CRIU can dump. Returns its
        exit code, or the negated signal. group: the one that the command starts it in.
        owner: of its session keyring.
        """
        reader, writer = os.pipe()
        source, sink = os.pipe()
        pid_file.unlink(missing_ok=True)
        with closing(reader), contextlib.ExitStack() as ours:
            ours.callback(os.close, sink)
            with contextlib.ExitStack() as theirs:
                theirs.callback(os.close, writer)
                theirs.callback(os.close, source)
                with starting(argv, stdin=source, stdout=writer, stderr=writer,
                              umask=UMASK, owner=owner) as process:  # fmt: skip
                    code = self.started(argv, process, min(timeout or STARTING, STARTING), group)
                if code:
                    self.drain(reader)
                    raise CommandFailed(argv, code)
            pid = int(pid_file.read_text())
            ours.pop_all()
            feeding(sink, stdin, lambda: os.close(sink))
            kill = group.kill if group else lambda: os.kill(pid, signal.SIGKILL)
            return self.to_its_end(argv, pid, reader, timeout, kill)

    def to_its_end(
        self,
        argv: Sequence[str],
        pid: int,
        reader: int,
        timeout: float | None,
        kill: Callable[[], None],
    ) -> int:
        """Attend a child of ours; its exit code, or the negated signal."""
        try:
            self.attend(argv, pid, reader, timeout, kill)
        finally:  # unburied it would keep its pid namespace, so the container, from ending
            status = os.waitpid(pid, 0)[1]
        return os.waitstatus_to_exitcode(status)

    def started(
        self,
        argv: Sequence[str],
        process: subprocess.Popen[bytes],
        limit: float,
        group: Group | None,
    ) -> int:
        """Wait for a command that starts something; the container's root may make it wait."""
        try:
            with closing(os.pidfd_open(process.pid)) as ended:
                if not self.wait(ended, limit):
                    raise TimedOut(argv, limit)
            return process.wait()
        except OperationError:
            end_session(process.pid)
            process.wait()
            if group:
                group.kill()
            bury_orphans()
            raise

    def ask(
        self,
        argv: Sequence[str],
        *,
        ok: Collection[int] = (0,),
        timeout: float = QUIET_COMMAND_TIMEOUT,
    ) -> bytes:
        """Run a quiet command for its answer: nothing of it goes to the log."""
        return call(argv, ok=ok, timeout=timeout)

    def obey(self) -> None:
        """Raise Cancelled if somebody asked for the end: for work that starts no process."""
        self.wait(-1, 0)

    def wait(self, fd: int, seconds: float) -> bool:
        """Wait until a descriptor is readable; False at the time limit. Raises Cancelled."""
        deadline = time.monotonic() + seconds
        with polling(fd, self.cancel) as poll:
            while True:
                left = max(0.0, deadline - time.monotonic())
                ready = [found for found, _ in poll.poll(left * 1000)]
                if fd in ready or self.cancel not in ready:
                    return fd in ready
                if self.cancelled():
                    raise Cancelled()

    def attend(
        self,
        argv: Sequence[str],
        pid: int,
        reader: int,
        timeout: float | None,
        kill: Callable[[], None],
    ) -> None:
        """Hand on the output until it has ended; end it at its time limit or when cancelled."""
        deadline = time.monotonic() + timeout if timeout else None
        os.set_blocking(reader, False)
        with closing(os.pidfd_open(pid)) as ended, polling(ended, reader, self.cancel) as poll:
            try:
                while True:
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    ready = [fd for fd, _ in poll.poll(None if left is None else left * 1000)]
                    if reader in ready and not self.hand_on(reader):
                        poll.unregister(reader)
                    if ended in ready:
                        break
                    if self.cancel in ready and self.cancelled():
                        raise Cancelled()
                    if deadline is not None and time.monotonic() >= deadline:
                        raise TimedOut(argv, timeout or 0)
            except BaseException:
                kill()
                self.drain(reader)
                raise
            self.drain(reader)

    def hand_on(self, reader: int) -> bool:
        """Hand on one chunk; False once nobody can write any more."""
        try:
            chunk = os.read(reader, CHUNK)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the last writer has left the terminal
            return False
        if chunk:
            self.out(chunk)
        return bool(chunk)

    def drain(self, reader: int) -> None:
        """Hand on what an ended process has left; what others still write is not waited for."""
        os.set_blocking(reader, False)
        deadline = time.monotonic() + DRAIN
        while time.monotonic() < deadline:
            if not select.select([reader], [], [], 0)[0] or not self.hand_on(reader):
                return


def terminal_pair() -> tuple[int, int]:
    """A pseudo terminal that passes bytes on as they were written."""
    master, slave = os.openpty()
    mode = termios.tcgetattr(slave)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    fcntl.fcntl(master, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    return master, slave


def feeding(sink: int, text: bytes, close: Callable[[], None]) -> None:
    """Write text to a pipe without waiting for its reader: a child does it when it's long."""
    os.set_blocking(sink, False)
    with contextlib.suppress(BrokenPipeError):
        try:
            written = os.write(sink, text) if text else 0
        except BlockingIOError:
            written = 0
        if written < len(text):
            feed_from_child(sink, text[written:])
    close()


def feed_from_child(sink: int, text: bytes) -> None:
    if os.fork():
        return
    try:
        os.setsid()
        os.set_blocking(sink, True)
        while text:
            text = text[os.write(sink, text) :]
    finally:
        os._exit(0)


def end_session(pid: int) -> None:
    """End a process and the processes of its group (it leads a session of its own)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def bury_orphans() -> None:
    """Wait for what a killed command has left us: unburied it keeps its container from ending."""
    for _ in range(20):
        try:
            buried, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not buried:
            time.sleep(0.005)


@contextlib.contextmanager
def polling(*fds: int) -> Iterator[select.poll]:
    poll = select.poll()
    for fd in fds:
        if fd >= 0:
            poll.register(fd, select.POLLIN | select.POLLHUP)
    yield poll
