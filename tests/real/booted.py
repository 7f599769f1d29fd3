"""A root file system that runs, without the panel's operations: for the tests of templates."""

import array
import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.node.conf import NodeConf
from containers.node.idmap import Ids, Rootfs, shown
from containers.node.processes.run import call
from containers.node.storage import pool
from containers.node.storage.mounts import mounts
from containers.node.storage.removal import remove
from containers.node.templates import init
from containers.node.templates.catalogue import Template

PR_SET_CHILD_SUBREAPER = 36
BASE, SIZE = 200000, 65536
CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
    "CAP_SYS_NICE", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
]  # fmt: skip
TMPFS = ["nosuid", "nodev", "mode=755"]
MOUNTS = [
    ("/proc", "proc", []), ("/dev", "tmpfs", ["nosuid", "mode=755"]),
    ("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
    ("/sys", "sysfs", ["nosuid", "noexec", "nodev"]),
    ("/sys/fs/cgroup", "cgroup", ["nosuid", "noexec", "nodev"]),
    ("/run", "tmpfs", TMPFS), ("/run/lock", "tmpfs", TMPFS),
]  # fmt: skip


@dataclass
class Booted:
    conf: NodeConf
    name: str
    fs: Path
    pid: int = 0
    console: int = -1
    seen: bytes = b""
    seccomp: dict[str, Any] | None = None

    @property
    def rootfs(self) -> Path:
        return self.conf.run / "rootfs" / self.name / "fs"

    def runc(self, *words: str) -> list[str]:
        return ["runc", "--root", f"{self.conf.run}/test-runc", *words]

    def exec(self, *words: str) -> str:
        return call(self.runc("exec", self.name, *words), timeout=30).decode()

    def boot(self, path: str) -> None:
        bundle = self.conf.run / self.name
        bundle.mkdir(parents=True)
        self.rootfs.mkdir(parents=True)
        for folder in (self.rootfs, self.rootfs.parent):
            folder.chmod(0o755)
        (bundle / "config.json").write_text(json.dumps(self.bundle(path)))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{bundle}/console.sock")
            listener.listen()
            null = subprocess.DEVNULL
            with shown(Rootfs(self.fs, self.rootfs, Ids(0, BASE, SIZE))):
                subprocess.run(
                    self.runc("create", "--bundle", f"{bundle}", "--console-socket",
                              f"{bundle}/console.sock", "--pid-file", f"{bundle}/pid", self.name),
                    stdin=null, stdout=null, stderr=null, check=True, timeout=60,
                )  # fmt: skip
            connection, _ = listener.accept()
            with connection:
                _, rights, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
                self.console = array.array("i", rights[0][2][:4])[0]
        self.pid = int((bundle / "pid").read_text())
        self.hand_over_groups()
        call(self.runc("start", self.name))

    def hand_over_groups(self) -> None:
        """systemd wants to make groups of its own, below those of the container's root."""
        for mount in mounts():
            group = mount.point / self.conf.cgroup.lstrip("/") / self.name
            if mount.kind == "cgroup2" or mount.point.name == "systemd":
                group.mkdir(parents=True, exist_ok=True)
                (group / "cgroup.procs").write_text(f"{self.pid}")
                for path in (group, group / "cgroup.procs"):
                    os.chown(path, BASE, BASE)

    def until_console_says(self, text: bytes, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"the console says only {self.seen!r}"
            if select.select([self.console], [], [], left)[0]:
                try:
                    self.seen += os.read(self.console, 65536)
                except OSError:  # nobody has it open just now
                    select.select([], [], [], 0.02)

    def halt(self) -> float:
        """Ask it to halt as its init wants to be asked; the seconds until it was asked."""
        began = time.monotonic()
        how = init.detect(self.fs).halt
        if how.signal:
            os.kill(self.pid, how.signal)
        else:
            self.exec(*how.command or ())
        return began

    def end(self, patience: float = 30) -> int:
        """Wait for its init to end; the signal by which the kernel ended it."""
        fd = os.pidfd_open(self.pid)
        try:
            assert select.select([fd], [], [], patience)[0], f"it does not halt: {self.seen!r}"
        finally:
            os.close(fd)
        _, status = os.waitpid(self.pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def bundle(self, path: str) -> dict[str, object]:
        mapping = [{"containerID": 0, "hostID": BASE, "size": SIZE}]
        sets = dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES)
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": True, "user": {"uid": 0, "gid": 0}, "args": [path], "cwd": "/",
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=oci", "TERM=xterm"],
                "capabilities": sets,
            },
            "root": {"path": f"{self.rootfs}"}, "hostname": "alpha",
            "mounts": [{"destination": d, "type": t, "source": t, "options": o}
                       for d, t, o in MOUNTS],
            "linux": {
                "cgroupsPath": f"{self.conf.cgroup}/{self.name}",
                "uidMappings": mapping, "gidMappings": mapping,
                "namespaces": [{"type": kind} for kind in
                               ("pid", "ipc", "uts", "mount", "network", "cgroup", "user")],
                **({"seccomp": self.seccomp} if self.seccomp else {}),
                "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            },
        }  # fmt: skip


@contextlib.contextmanager
def booted(
    conf: NodeConf, template: Template, seccomp: dict[str, Any] | None = None
) -> Iterator[Booted]:
    """A container made from a template, booted; all of it is gone afterwards."""
    libc = ctypes.CDLL(None)
    storage, name = pool.driver(conf), f"t{uuid.uuid4().hex[:8]}"
    private = conf.vz / "private" / name
    private.mkdir(0o700)
    container = Booted(conf, name, private / "fs", seccomp=seccomp)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        call(storage.snapshot(template.fs, container.fs))
        container.boot(init.detect(container.fs).path)
        yield container
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if container.pid:
                os.kill(container.pid, signal.SIGKILL)
                os.waitpid(container.pid, 0)
        call(container.runc("delete", "--force", name), ok=(0, 1))
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        if container.console >= 0:
            os.close(container.console)
        shutil.rmtree(conf.run / name, ignore_errors=True)
        shutil.rmtree(container.rootfs.parent, ignore_errors=True)
        remove(storage, private / "fs")
        private.rmdir()
