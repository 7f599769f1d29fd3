"""What an operator would type to start and stop a container without a panel: commands, no more."""

import json
import os
import select
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from containers.node import idmap, ids
from containers.node.actions import BY_NAME, Scope
from containers.node.conf import NodeConf
from containers.node.idmap import Ids, Rootfs
from containers.node.layout import Layout
from containers.node.scripts import HOST_ENV
from containers.node.templates.init import detect

HALTED = 30.0  # seconds


@dataclass(frozen=True)
class Bare:
    """The same container, its root file system, scripts, limits and network, made by hand."""

    paths: Layout

    @property
    def node(self) -> NodeConf:
        return self.paths.node

    @property
    def bundle(self) -> Path:
        return self.node.run / "bare"

    def prepare(self, *, terminal: bool = False) -> None:
        """The panel's own config.json, network hook and all, but for the console."""
        config = json.loads((self.paths.bundle / "config.json").read_text())
        config["process"]["terminal"] = terminal
        config["linux"]["cgroupsPath"] += "-bare"
        self.bundle.mkdir(exist_ok=True)
        (self.bundle / "config.json").write_text(json.dumps(config))

    def start(self) -> float:
        began = time.perf_counter()
        self.mount()
        self.script(Scope.GLOBAL, "mount")
        self.script(Scope.OWN, "mount")
        self.create()
        self.inside("start")
        self.boot()
        return time.perf_counter() - began

    def stop(self) -> float:
        began = time.perf_counter()
        self.inside("stop")
        self.halt()
        self.delete()
        self.script(Scope.OWN, "umount")
        self.script(Scope.GLOBAL, "umount")
        self.umount()
        return time.perf_counter() - began

    def mount(self) -> None:
        self.run("mount", "--bind", "--make-private", f"{self.paths.fs}", f"{self.paths.root}")

    def create(self) -> None:
        with self.shown():
            self.runc("create", "--bundle", f"{self.bundle}",
                      "--pid-file", f"{self.pid_file}", "bare")  # fmt: skip

    def shown(self) -> AbstractContextManager[None]:
        """Where the root file system has the owners that runc is to see."""
        return idmap.shown(Rootfs(self.paths.fs, self.paths.rootfs, Ids(0, self.base, ids.SIZE)))

    @property
    def base(self) -> int:
        return ids.of(self.node, self.paths.ctid).base

    def boot(self) -> None:
        self.runc("start", "bare")

    def halt(self) -> None:
        init = os.pidfd_open(int(self.pid_file.read_text()))
        how = detect(self.paths.fs).halt
        if how.command:
            self.runc("exec", "bare", *how.command)
        else:
            self.runc("kill", "bare", f"{how.signal}")
        if not select.select([init], [], [], HALTED)[0]:
            signal.pidfd_send_signal(init, signal.SIGKILL)
            raise TimeoutError("the bare container does not halt")
        os.close(init)

    def delete(self) -> None:
        self.runc("delete", "bare")

    def umount(self) -> None:
        self.run("umount", f"{self.paths.root}")

    @property
    def pid_file(self) -> Path:
        return self.bundle / "pid"

    def script(self, scope: Scope, name: str) -> None:
        """Nothing when it has none, as by the panel."""
        if not self.paths.script(scope, BY_NAME[name]).exists():
            return
        env = {**HOST_ENV, "VEID": f"{self.paths.ctid}", "VE_CONFFILE": f"{self.paths.conf_link}"}
        self.run(f"{self.paths.script(scope, BY_NAME[name])}", env=env)

    def inside(self, name: str) -> None:
        path = self.paths.script(Scope.OWN, BY_NAME[name])
        if path.exists():
            self.runc("exec", "bare", "/bin/sh", "-s", stdin=path.read_bytes())

    def runc(self, *words: str, stdin: bytes = b"") -> None:
        self.run("runc", "--root", f"{self.bundle / 'runc'}", *words, stdin=stdin)

    def run(self, *argv: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> None:
        with (self.bundle / "log").open("wb") as log:
            done = subprocess.run(argv, input=stdin, stdout=log, stderr=log, env=env, check=False)
        if done.returncode:
            said = (self.bundle / "log").read_text()
            raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}: {said}")
