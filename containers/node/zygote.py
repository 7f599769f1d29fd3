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
from dataclasses import dataclass
from functools import partial
from typing import Any

from containers.node import conf as node_conf
from containers.node import monitor, runner, runtimes
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.errors import OperationError, Problem
from containers.node.layout import Layout
from containers.node.processes.cgroup import Group
from containers.node.processes.prefork import Prefork, ordered
from containers.node.processes.run import spawn
from containers.node.processes.runner_cgroup import RunnerCgroup
from containers.node.storage import pool

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
                "PANEL_OPENVZ_DIR": f"{conf.openvz}",
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
            raise OperationError(Problem.ZYGOTE_GONE) from e
        if not answer:
            raise OperationError(Problem.ZYGOTE_GONE)
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
    for name in ("runc", runtimes.DRY_RUN):  # else each runner would load it anew
        runtimes.load(name)
    with contextlib.suppress(OSError):
        pool.driver(conf)
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
    """Where children are forked, one of them beforehand."""

    conf: NodeConf
    line: socket.socket
    spare: Prefork | None = None

    def serve(self) -> None:
        while True:
            if not self.spare and not select.select([self.line], [], [], QUIET)[0]:
                self.spare = self.fork()
            if not (asked := self.line.recv(4096)):
                return
            self.line.send(json.dumps({"pid": self.answer(asked)}).encode())

    def answer(self, asked: bytes) -> int:
        if json.loads(asked)["do"] == "hello":
            return os.getpid()
        child, self.spare = self.spare or self.fork(), None
        try:
            child.order(asked)
        except OSError:  # it was killed
            child = self.fork()
            child.order(asked)
        child.line.close()
        return child.pid

    def fork(self) -> Prefork:
        """In a session and a control group of its own; it lives on when the zygote ends."""
        cgroup = self.cgroup()
        return Prefork.fork(
            partial(self.grow_up, cgroup),
            cgroup.group.fork if cgroup else os.fork,
        )

    def cgroup(self) -> RunnerCgroup | None:
        try:
            return RunnerCgroup.build(self.conf.cgroup, f"{time.time_ns():x}")
        except OSError:  # without root there are no groups
            return None

    def grow_up(self, cgroup: RunnerCgroup | None, line: socket.socket) -> None:
        os.setsid()
        self.line.close()
        if self.spare:  # was killed
            self.spare.line.close()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        try:
            if cgroup:
                monitor.fork_beforehand(self.conf)
            if asked := ordered(line):
                line.close()
                live(self.conf, asked, cgroup)
        finally:
            if cgroup:
                cgroup.leave()


def live(conf: NodeConf, asked: bytes, cgroup: RunnerCgroup | None) -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-runner", 0, 0, 0)
    match json.loads(asked):
        case {"do": "run", "operation": int(number)}:
            runner.main(conf, number, cgroup=cgroup)
        case {"do": "recover", "operation": int(number)}:
            runner.main(conf, number, recover=True, cgroup=cgroup)
        case {"do": "adopt", "ctid": int(ctid)}:
            monitor.adopt(Layout(conf, ctid))


if __name__ == "__main__":
    main()
