"""The template that is made in an instant: busybox, and an init that powers off in an instant."""

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem
from containers.node.processes.run import call
from containers.node.storage import pool
from containers.node.templates import catalogue, inspection
from containers.node.templates.catalogue import Build, Template
from containers.node.templates.shift import Shift

NAME = "busybox"
PLACES = (Path("/bin/busybox"), Path("/usr/bin/busybox"))
NEEDS_A_LOADER = 3  # PT_INTERP of an ELF program header

# busybox's own init waits a second after each of SIGTERM and SIGKILL, whoever is left.
INIT = r"""#!/bin/sh
# panel-init: process 1 of a small container.
# SIGUSR2 powers off, SIGUSR1 halts, SIGTERM restarts: what poweroff, halt and reboot send.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

leave() {
    trap '' USR1 USR2 TERM
    kill -TERM -1 2>/dev/null
    kill -HUP $console 2>/dev/null  # an interactive shell heeds no other
    tries=0
    while [ $tries -lt 200 ] && others; do
        usleep 5000
        tries=$((tries + 1))
    done
    exec "$1" -n -f  # without sync: the node goes on running
}

others() {
    set -- /proc/[0-9]*
    [ $# -gt 1 ]
}

console=
trap 'leave poweroff' USR2
trap 'leave halt' USR1
trap 'leave reboot' TERM

/etc/init.d/rcS </dev/null >/dev/console 2>&1 &
wait $!
while :; do
    setsid sh -c 'exec sh -l <>/dev/console >&0 2>&1' &
    console=$!
    wait $console
    sleep 1 &
    wait $!
done
"""

RCS = r"""#!/bin/sh
ip link set lo up 2>/dev/null
for script in /etc/rc.d/*; do
    [ -x "$script" ] && "$script"
done
echo "$(hostname) is up"
"""


@dataclass(frozen=True)
class File:
    content: str
    mode: int = 0o644


FOLDERS = {
    "bin": 0o755, "sbin": 0o755, "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "dev": 0o755,
    "proc": 0o555, "sys": 0o555, "run": 0o755, "tmp": 0o1777, "root": 0o700, "home": 0o755,
    "mnt": 0o755, "srv": 0o755, "var": 0o755, "var/log": 0o755, "var/tmp": 0o1777,
    "etc": 0o755, "etc/init.d": 0o755, "etc/rc.d": 0o755,
}  # fmt: skip
FILES = {
    "sbin/init": File(INIT, 0o755),
    "etc/init.d/rcS": File(RCS, 0o755),
    "etc/passwd": File(
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
    ),
    "etc/group": File("root:x:0:\ndaemon:x:1:\ntty:x:5:\nnogroup:x:65534:\n"),
    "etc/shadow": File("root:*:19000:0:99999:7:::\n", 0o600),
    "etc/shells": File("/bin/sh\n"),
    "etc/profile": File("export PS1='\\u@\\h:\\w\\$ '\n"),
    "etc/hostname": File("localhost\n"),
    "etc/hosts": File("127.0.0.1 localhost\n::1 localhost\n"),
    "etc/resolv.conf": File(""),
    "etc/os-release": File('ID=busybox\nNAME=BusyBox\nPRETTY_NAME="BusyBox"\n'),
}


def publish(conf: NodeConf, *, key: str = "own") -> Template:
    """Make the template, unless the newest one is the same already."""
    program = source()
    recipe = fingerprint(program)
    last = catalogue.newest(conf, NAME)
    if last and last.facts.recipe == recipe:
        return last
    storage, build = pool.driver(conf), Build(conf, NAME, key)
    try:
        catalogue.begin(build, storage)
        with catalogue.room():
            fill(build.fs, program)
        facts = inspection.facts(build.fs, Shift(0).tree(build.fs), recipe=recipe)
        return catalogue.publish(build, storage, facts)
    except BaseException:
        catalogue.discard(build, storage)
        raise


def source() -> Path:
    """The node's busybox. Raises OperationError unless it runs without any library."""
    for path in PLACES:
        if path.is_file():
            if is_static(path.read_bytes()):
                return path
            raise OperationError(Problem.PROGRAM_NOT_STATIC, path=path, package="busybox-static")
    raise OperationError(Problem.PROGRAM_MISSING, program="busybox", package="busybox-static")


def is_static(program: bytes) -> bool:
    if program[:5] != b"\x7fELF\x02":
        return False
    (offset,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    kinds = (struct.unpack_from("<I", program, offset + size * i)[0] for i in range(count))
    return NEEDS_A_LOADER not in kinds


def fingerprint(program: Path) -> str:
    told = repr((FOLDERS, FILES)).encode()
    return hashlib.sha256(program.read_bytes() + told).hexdigest()


def fill(fs: Path, program: Path) -> None:
    fs.chmod(0o755)
    for name, mode in FOLDERS.items():
        (fs / name).mkdir(exist_ok=True)
        (fs / name).chmod(mode)
    for name, file in FILES.items():
        (fs / name).write_text(file.content)
        (fs / name).chmod(file.mode)
    (fs / "bin/busybox").write_bytes(program.read_bytes())
    (fs / "bin/busybox").chmod(0o755)
    for applet in call([f"{program}", "--list-full"]).decode().split():
        path = fs / applet
        if path.parent.is_dir() and not path.exists():
            path.symlink_to(os.path.relpath(fs / "bin/busybox", path.parent))
