"""The zygote: a small process, without threads and without Django, that forks runners and monitors.

A fork takes a few milliseconds, an interpreter's start thirty to fifty. It listens on a socket
that its node process holds, and ends when that one does; what it has forked lives on.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from containers.node import conf as node_conf
from containers.node import monitor, runner, runtimes
from containers.node.cgroup import Group
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.errors import OperationError
from containers.node.layout import Layout
from containers.node.run import spawn

PR_SET_NAME = 15


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
    while asked := line.recv(4096):
        pid = answer(conf, line, json.loads(asked))
        line.send(json.dumps({"pid": pid}).encode())


def answer(conf: NodeConf, line: socket.socket, asked: dict[str, Any]) -> int:
    match asked["do"]:
        case "run" | "recover":
            number = asked["operation"]
            recover = asked["do"] == "recover"
            return fork(line, lambda: runner.main(conf, number, recover=recover))
        case "adopt":
            paths = Layout(conf, asked["ctid"])
            return fork(line, lambda: monitor.adopt(paths))
        case _:
            return os.getpid()


def join(group: Group) -> None:
    """All that it forks is then born there, and doesn't end with a systemd unit.

    To move each of them would make the machine wait for 15 ms, see Group.fork.
    """
    group.make()
    group.add()


def fork(line: socket.socket, live: Callable[[], None]) -> int:
    """In a session of its own; it lives on when the zygote ends."""
    if child := os.fork():
        return child
    try:
        os.setsid()
        line.close()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-runner", 0, 0, 0)
        live()
    except BaseException:  # there is nobody above us to tell
        import traceback

        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
