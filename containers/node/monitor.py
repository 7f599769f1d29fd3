"""A container's monitor: holds its console, reaps its init, and tells how that ended.

One process a container, forked by the runner that makes it and living on after it. It writes
only its own spool, <state>/spool/ct-<CTID>:

    events    {ev: init, pid, started}, then {ev: gone, code, signal, lived, oom, last}: death.py
    console   what the container wrote to its console, the last MiB or two
    runner    locked while the monitor lives
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from containers.node import death, observed
from containers.node.conf import NodeConf
from containers.node.errors import CommandFailed, OperationError, TimedOut
from containers.node.idmap import Rootfs, shown
from containers.node.layout import Layout
from containers.node.observed import Init
from containers.node.processes import keyring
from containers.node.processes.cgroup import Group
from containers.node.processes.console import Console, listening
from containers.node.processes.prefork import Prefork, ordered
from containers.node.processes.run import leave
from containers.node.spool import Nudge, Spool

PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 15, 36
CREATION_TIMEOUT = 60.0  # seconds until a runtime has made the container
IDLE = 1.0  # seconds between two looks for what is to be buried
BEFOREHAND: list[Prefork] = []


def make(
    paths: Layout, argv: list[str], rootfs: Rootfs, *, timeout: float = CREATION_TIMEOUT
) -> int:
    """Have a monitor run the command which makes the container; returns its init's pid.

    rootfs: what the command finds, and nobody else, as the container's root file system.
    Raises what running the command raised; of what it had begun to make nothing runs then.
    """
    order = {"make": argv, "ctid": paths.ctid, "timeout": timeout, "rootfs": rootfs.words()}
    said = ask(paths.node, order)
    if seconds := said.get("seconds"):
        raise TimedOut(argv, seconds)
    if "pid" not in said:
        raise CommandFailed(argv, said.get("exit", 1), said.get("said", "its monitor was ended"))
    return int(said["pid"])


def adopt(paths: Layout) -> None:
    """Give a container that lost its monitor a new one; its console is gone until it restarts.

    Another terminal in its place would be nobody's session's: CRIU dumps what uses such a one, and
    can't bring it back. What is gone it can, see checkpoint/lost_console.py.
    """
    ask(paths.node, {"adopt": True, "ctid": paths.ctid})


def ask(node: NodeConf, what: dict[str, Any]) -> dict[str, Any]:
    child = BEFOREHAND.pop() if BEFOREHAND else fork(node)
    order = json.dumps(what).encode()
    try:
        child.order(order)
    except OSError:  # it was killed
        child = fork(node)
        child.order(order)
    return dict(json.loads(child.answer() or b"{}"))


def fork_beforehand(node: NodeConf) -> None:
    """For the first container that this process makes."""
    BEFOREHAND.append(fork(node))


def last_event(paths: Layout) -> dict[str, Any]:
    """What it has noted last; empty when it has noted nothing yet."""
    events, _ = Spool(paths.monitor).read_events()
    return events[-1] if events else {}


def settle(paths: Layout) -> None:
    """Wait until no monitor is making the container: its runner may have died meanwhile."""
    with open_lock(paths) as making:
        fcntl.flock(making, fcntl.LOCK_EX)


def open_lock(paths: Layout) -> IO[bytes]:
    path = paths.bundle / "making"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")


def fork(node: NodeConf) -> Prefork:
    """It has nothing of ours: no session, no descriptors. It may outlive us, and is then adopted
    by the node's init.
    """
    group = Group(f"{node.cgroup}/monitors")
    group.make()
    return Prefork.fork(lambda line: work(node, line), group.fork)


def work(node: NodeConf, line: socket.socket) -> None:
    os.setsid()
    forget_everything(line.fileno())
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if not (order := ordered(line)):
        return
    libc.prctl(PR_SET_NAME, b"panel-monitor", 0, 0, 0)
    asked = json.loads(order)
    monitor = Monitor(Layout(node, asked["ctid"]))
    if argv := asked.get("make"):
        monitor.make(argv, Rootfs.of(asked["rootfs"]), line, asked["timeout"])
    else:
        line.close()
        monitor.adopt()


def forget_everything(keep: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    top = os.sysconf("SC_OPEN_MAX")
    for low, high in ((3, keep), (keep + 1, top)) if keep > 2 else ((3, top),):
        os.closerange(low, high)
    os.chdir("/")


@dataclass
class Monitor:
    paths: Layout

    def __post_init__(self) -> None:
        self.spool = Spool(self.paths.monitor)
        self.console = Console(self.spool.path / "console")

    def make(self, argv: list[str], rootfs: Rootfs, line: socket.socket, timeout: float) -> None:
        with self.alone(timeout), listening(self.paths.console_socket) as listener:
            try:
                os.umask(0o022)  # a container's root opens the control groups that are made here
                with open_lock(self.paths) as making:
                    fcntl.flock(making, fcntl.LOCK_EX)
                    keyring.join(rootfs.ids.shown)
                    with shown(rootfs):
                        leave(argv, timeout=timeout)
                pid = int((self.paths.bundle / "init.pid").read_text())
            except (OperationError, OSError, ValueError) as e:
                exit = e.exit if isinstance(e, CommandFailed) else 1
                said = (e.said if isinstance(e, CommandFailed) else "") or f"{e}"
                seconds = e.seconds if isinstance(e, TimedOut) else None
                end_children()
                answer(line, exit=exit, said=said, seconds=seconds)
                return
            init = Init(pid, observed.started(pid) or 0)
            self.paths.let_go.unlink(missing_ok=True)
            self.start(init)
            answer(line, pid=pid)
            self.watch(init, listener)

    def adopt(self) -> None:
        init = observed.init_of(self.paths)
        if init and init.alive:
            with self.alone(0), listening(self.paths.console_socket) as listener:
                self.start(init)
                self.watch(init, listener)

    @contextlib.contextmanager
    def alone(self, patience: float) -> Iterator[None]:
        """Be its one monitor. That of its life before may be writing its last words still."""
        self.spool.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + patience
        while True:
            with self.spool.hold() as mine:
                if mine:
                    yield
                    return
            if time.monotonic() >= deadline:
                os._exit(0)
            time.sleep(0.01)

    def start(self, init: Init) -> None:
        self.spool.events.unlink(missing_ok=True)
        self.note(ev="init", pid=init.pid, started=init.started)

    def watch(self, init: Init, listener: socket.socket) -> None:
        """Read the consoles until the init has ended, then say how."""
        groups = observed.cgroup_paths(self.paths)
        ended = observed.pidfd(init)
        while ended is not None:
            ready = self.wait(ended, listener.fileno())
            if listener.fileno() in ready:
                self.console.add(listener)
            for fd in [fd for fd in self.console.awake if fd in ready]:
                self.console.read(fd)
            if ended in ready:
                break
            reap(but=init.pid)
        code, by = reaped(init.pid)
        self.console.drain()
        last = death.last_lines(self.console.tail)
        oom = death.out_of_memory(groups)
        self.note(ev="gone", code=code, signal=by, lived=self.lived(), oom=oom, last=last)
        Nudge(self.paths.node.doorbell, f"ct-{self.paths.ctid}")()

    def lived(self) -> float | None:
        """Seconds since it was let go; None where nobody has noted when."""
        with contextlib.suppress(OSError):
            return time.time() - self.paths.let_go.stat().st_mtime
        return None

    def wait(self, *fds: int) -> list[int]:
        due = self.console.wake()
        poll = select.poll()
        for fd in (*fds, *self.console.awake):
            poll.register(fd, select.POLLIN)
        return [fd for fd, _ in poll.poll(1000 * (IDLE if due is None else due))]

    def note(self, **event: Any) -> None:
        line = json.dumps({"t": time.time(), **event})
        with (
            contextlib.suppress(OSError),
            open(os.open(self.spool.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a")
            as file,
        ):  # fmt: skip
            file.write(line + "\n")


def answer(line: socket.socket, **said: Any) -> None:
    """The runner may be dead by now: the container is to have its monitor all the same."""
    with line, contextlib.suppress(OSError):
        line.send(json.dumps(said).encode())


def end_children() -> None:
    """Kill what a failed command has left: half restored processes go on for ever. All of it is
    ours, for we are its subreaper."""
    while True:
        for pid in observed.children(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def reap(but: int) -> None:
    """Bury what became ours, but for the init: its end is waited for by its descriptor."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if not found or found.si_pid == but:
            return
        os.waitpid(found.si_pid, os.WNOHANG)


def reaped(pid: int) -> tuple[int | None, int | None]:
    """How it ended: exit code, signal; neither when it wasn't ours to reap."""
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None, None
    return (code, None) if code >= 0 else (None, -code)
