"""Run a command on the node: the only module that starts a program.

Where Python forks and goes on itself, no program is started: runners (zygote.py), what feeds a
script (executor.py), and what enters a container to dismount there (steps/oldfiles.py).
"""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from containers.node.errors import (
    CannotStart,
    CommandFailed,
    TimedOut,
)
from containers.node.processes import keyring

QUIET_COMMAND_TIMEOUT = 60.0  # seconds a quiet command may take
WATCH = 0.25  # seconds between two looks at how a watched command gets on
SAID = 400  # characters of stderr that an error repeats


def call(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    ok: Collection[int] = (0,),
    timeout: float = QUIET_COMMAND_TIMEOUT,
    env: Mapping[str, str] | None = None,
    watch: Callable[[], None] | None = None,
) -> bytes:
    """Run a quiet command and return what it printed on stdout.

    A command that leaves a process behind (runc create) goes through leave: the process would
    hold the pipe open. watch: called now and then meanwhile; what it raises ends the command.
    Raises CommandFailed with the end of stderr, TimedOut, CannotStart.
    """
    with starting(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                  env=env) as process:  # fmt: skip
        try:
            out, err = attended(process, stdin, timeout, watch)
        except subprocess.TimeoutExpired as e:
            process.kill()
            raise TimedOut(argv, timeout) from e
    if process.returncode not in ok:
        raise CommandFailed(argv, process.returncode, words_of(err or out))
    return out


def attended(
    process: subprocess.Popen[bytes],
    stdin: bytes,
    timeout: float,
    watch: Callable[[], None] | None,
) -> tuple[bytes, bytes]:
    """What it printed. Raises TimeoutExpired, or what watch does."""
    deadline, feed = time.monotonic() + timeout, stdin or None
    while watch and (left := deadline - time.monotonic()) > WATCH:
        try:
            return process.communicate(feed, timeout=min(left, WATCH))
        except subprocess.TimeoutExpired:
            feed = None
            watch()
    return process.communicate(feed, timeout=max(0.0, deadline - time.monotonic()))


@contextlib.contextmanager
def meanwhile(
    argv: Sequence[str], *, stdin: bytes = b"", ok: Collection[int] = (0,)
) -> Iterator[None]:
    """Run a quiet command beside what the caller does. Raises as call does, when that is done."""
    with starting(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                  stderr=subprocess.PIPE) as process:  # fmt: skip
        if process.stdin:
            with process.stdin as feed, contextlib.suppress(BrokenPipeError):
                feed.write(stdin)
            process.stdin = None
        yield
        try:
            _, err = process.communicate(timeout=QUIET_COMMAND_TIMEOUT)
        except subprocess.TimeoutExpired as e:
            process.kill()
            raise TimedOut(argv, QUIET_COMMAND_TIMEOUT) from e
    if process.returncode not in ok:
        raise CommandFailed(argv, process.returncode, words_of(err))


def words_of(said: bytes) -> str:
    return " ".join(said.decode(errors="replace").split())[-SAID:]


def leave(argv: Sequence[str], *, timeout: float = QUIET_COMMAND_TIMEOUT) -> None:
    """Run a command that leaves a process behind, which may keep the files it was given.

    Raises as call does.
    """
    with (
        tempfile.TemporaryFile() as said,
        starting(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                 stderr=said.fileno()) as process,
    ):  # fmt: skip
        if not ends(process.pid, timeout):
            process.kill()
            raise TimedOut(argv, timeout)
        if code := process.wait():
            said.seek(0)
            raise CommandFailed(argv, code, words_of(said.read()))


def ends(pid: int, seconds: float) -> bool:
    """Whether a child ends in time. Popen.wait would look for it now and then: up to 50 ms late."""
    fd = os.pidfd_open(pid)
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def spawn(
    argv: Sequence[str],
    *,
    pass_fds: Collection[int] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that lives beside us, in a session of its own."""
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, pass_fds=list(pass_fds), env=env, start_new_session=True
    )


def hand_over(argv: Sequence[str], *, owner: int) -> int:
    """Run a command with the caller's own stdio, for a person there; returns its exit code.

    owner: as starting has it.

    Ctrl-C is for the command, which the terminal sends it to, too. Raises OperationError if
    there's no such command.
    """
    try:
        with ignoring(signal.SIGINT, signal.SIGQUIT):
            return subprocess.call(argv, preexec_fn=partial(become_a_persons, owner))
    except OSError as e:
        raise CannotStart(argv, e) from e


@contextlib.contextmanager
def ignoring(*signals: signal.Signals) -> Iterator[None]:
    before = {each: signal.signal(each, signal.SIG_IGN) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def become_a_persons(owner: int) -> None:
    keyring.join(owner)
    for each in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(each, signal.SIG_DFL)


@contextlib.contextmanager
def starting(
    argv: Sequence[str],
    *,
    stdin: int,
    stdout: int,
    stderr: int,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
    owner: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """owner: of a session keyring of its own, which what runs in a container has to have."""

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            cwd="/",
            start_new_session=True,
            umask=umask,
        )

    try:
        process = start() if owner is None else keyring.with_own(owner, start)
    except OSError as e:
        raise CannotStart(argv, e) from e
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
