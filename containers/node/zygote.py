"""The zygote: a small process, without threads and without Django, that forks runners and monitors.

A fork takes a few milliseconds, an interpreter's start thirty to fifty. It listens on a socket
that its node process holds, and ends when that one does; what it has forked lives on.
"""

import contextlib
import ctypes
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
from containers.node import monitor, runner
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
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-zygote", 0, 0, 0)
    while asked := line.recv(4096):
        pid = answer(conf, line, json.loads(asked))
        line.send(json.dumps({"pid": pid}).encode())


def answer(conf: NodeConf, line: socket.socket, asked: dict[str, Any]) -> int:
    match asked["do"]:
        case "run" | "recover":
            number = asked["operation"]
            recover = asked["do"] == "recover"
            return fork(conf, line, lambda: runner.main(conf, number, recover=recover))
        case "adopt":
            paths = Layout(conf, asked["ctid"])
            return fork(conf, line, lambda: monitor.adopt(paths))
        case _:
            return os.getpid()


def fork(conf: NodeConf, line: socket.socket, live: Callable[[], None]) -> int:
    """A grandchild, so that it is nobody's to wait for, in a session and group of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        os.waitpid(child, 0)
        with open(reader, "rb") as said:
            return int(said.read() or 0)
    try:
        os.close(reader)
        os.setsid()
        if grandchild := os.fork():
            os.write(writer, f"{grandchild}".encode())
            os._exit(0)
        os.close(writer)
        line.close()
        # A cancellation may come before there is a handler for it; it waits until there is.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"panel-runner", 0, 0, 0)
        with contextlib.suppress(OSError):  # without root there are no groups to join
            group = Group(f"{conf.cgroup}/runners")
            group.make()
            group.add()
        live()
    except BaseException:  # there is nobody above us to tell
        import traceback

        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
