"""The zygote: a small process, without threads and without Django, that forks runners and monitors.

A fork takes a few milliseconds, an interpreter's start thirty to fifty. It listens on a socket
that its node process holds, and ends when that one does; what it has forked lives on.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from containers.node import conf as node_conf
from containers.node import monitor, runner, runtimes
from containers.node.cgroup import Group
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.errors import OperationError
from containers.node.home import Home
from containers.node.layout import Layout
from containers.node.run import spawn

PR_SET_NAME = 15
QUIET = 0.1  # seconds after which a child is forked beforehand


@dataclass
class Zygote:
    """The node's end."""

    process: subprocess.Popen[bytes]
    line: socket.socket

    @classmethod
    def start(cls, conf: NodeConf) -> "Zygote":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            argv = [sys.executable, "-m", __name__, f"{theirs.fileno()}"]
            environment = {
                "PYTHONPATH": f"{CHECKOUT}",
                "PANEL_STATE_DIR": f"{conf.state}",
                "PANEL_VZ_DIR": f"{conf.vz}",
                "PANEL_VZ_CONF_DIR": f"{conf.etc}",
                "PANEL_NODE": conf.name,
            }
            process = spawn(argv, pass_fds=[theirs.fileno()], env={**os.environ, **environment})
        zygote = cls(process, ours)
        zygote.ask(do="hello")
        return zygote

    def run(self, operation: int) -> int:
        """Fork the runner of an operation whose request is in the spool; returns its pid."""
        return self.ask(do="run", operation=operation)

    def recover(self, operation: int) -> int:
        return self.ask(do="recover", operation=operation)

    def adopt(self, ctid: int) -> int:
        """Fork a new monitor for a container that has lost its own."""
        return self.ask(do="adopt", ctid=ctid)

    def ask(self, **what: Any) -> int:
        try:
            self.line.send(json.dumps(what).encode())
            answer = self.line.recv(4096)
        except OSError as e:
            raise OperationError("the zygote is gone") from e
        if not answer:
            raise OperationError("the zygote is gone")
        return int(json.loads(answer)["pid"])

    def close(self) -> None:
        self.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def main() -> None:
    conf = node_conf.load()
    line = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # its end is the end of the line
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what it forks is nobody's to wait for
    # A cancellation may come before a runner has a handler for it; it waits until there is.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with contextlib.suppress(OSError):  # without root there are no groups to join
        join(Group(f"{conf.cgroup}/runners"))
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-zygote", 0, 0, 0)
    for name in ("runc", "rehearsal"):  # else each runner would load it anew
        runtimes.load(name)
    gc.freeze()  # else a collection in each child copies all that they share
    Nursery(conf, line).serve()


def join(group: Group) -> None:
    """All that it forks is then born there, and doesn't end with a systemd unit.

    To move each of them would make the machine wait for 15 ms, see Group.fork.
    """
    group.make()
    group.add()


@dataclass
class Nursery:
    """Where children are forked: one beforehand, for a fork may take as long as a script."""

    conf: NodeConf
    line: socket.socket
    spare: int = 0  # its pid
    order: int = -1  # a pipe to it

    def serve(self) -> None:
        while True:
            if not self.spare and not select.select([self.line], [], [], QUIET)[0]:
                self.fork_spare()
            if not (asked := self.line.recv(4096)):
                return
            self.line.send(json.dumps({"pid": self.answer(asked)}).encode())

    def answer(self, asked: bytes) -> int:
        if json.loads(asked)["do"] == "hello":
            return os.getpid()
        with contextlib.suppress(BrokenPipeError):  # it was killed
            return self.send_spare(asked)
        return self.fork(lambda home: live(self.conf, asked, home))

    def send_spare(self, asked: bytes) -> int:
        if not self.spare:
            raise BrokenPipeError
        pid, order = self.spare, self.order
        self.spare = 0
        with open(order, "wb") as pipe:
            pipe.write(asked)
        return pid

    def fork_spare(self) -> None:
        reader, self.order = os.pipe()
        self.spare = self.fork(lambda home: self.wait(reader, home))
        os.close(reader)

    def wait(self, reader: int, home: Home | None) -> None:
        own_memory()
        os.close(self.order)  # so that the end of the zygote is the end of the pipe
        with open(reader, "rb") as pipe:
            asked = pipe.read()
        if asked:
            live(self.conf, asked, home)

    def fork(self, begin: Callable[[Home | None], None]) -> int:
        """In a session and a home of its own; it lives on when the zygote ends."""
        home = self.home()
        if child := home.group.fork() if home else os.fork():
            return child
        try:
            os.setsid()
            self.line.close()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            begin(home)
        except BaseException:  # there is nobody above us to tell
            import traceback

            traceback.print_exc()
        finally:
            if home:
                with contextlib.suppress(OSError):
                    home.leave()
            os._exit(0)

    def home(self) -> Home | None:
        try:
            return Home.build(self.conf.cgroup, f"{time.time_ns():x}")
        except OSError:  # without root there are no groups
            return None


def own_memory() -> None:
    """Have the kernel copy now what is shared with the zygote, not page by page at work."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def live(conf: NodeConf, asked: bytes, home: Home | None) -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-runner", 0, 0, 0)
    match json.loads(asked):
        case {"do": "run", "operation": int(number)}:
            runner.main(conf, number, home=home)
        case {"do": "recover", "operation": int(number)}:
            runner.main(conf, number, recover=True, home=home)
        case {"do": "adopt", "ctid": int(ctid)}:
            monitor.adopt(Layout(conf, ctid))


if __name__ == "__main__":
    main()
