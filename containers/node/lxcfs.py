"""A container's own figures in /proc, where the node has lxcfs: memory, swap, processors, load and
uptime are then those of its limits, not the node's.

One lxcfs a node: it belongs to no service of the panel and outlives all of them, for a container
whose lxcfs is gone can't read these files at all. Should it die, a new one is started, and bound
into the containers in the place of the dead one. LXCFS="no" in vz.conf does without it.

    python3 -m containers.node.lxcfs --plan | --remove
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread

from containers.node import idmap, observed, veconf
from containers.node.bindmount import unmount
from containers.node.conf import NodeConf, load
from containers.node.errors import OperationError, Problem
from containers.node.layout import Layout
from containers.node.lines import lines_of
from containers.node.processes.cgroup import Group
from containers.node.processes.run import call, leave
from containers.node.storage.mounts import mounts_in

PROGRAM = "lxcfs"
KEY = "LXCFS"
FUSE = Path("/dev/fuse")
PLACES = ("/proc/cpuinfo", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/swaps",
          "/proc/uptime", "/sys/devices/system/cpu/online")  # fmt: skip
ANSWERS_WITHIN, LOOK = 10.0, 0.01  # seconds
CLONE_FS = 0x200
NEEDED = -1000  # of oom_score_adj: whatever the node runs out of, not this


def place(conf: NodeConf) -> Path:
    return conf.run / "lxcfs"


def pid_file(conf: NodeConf) -> Path:
    return conf.run / "lxcfs.pid"


def alive(conf: NodeConf) -> bool:
    """Whether it answers. The place of a dead one is there, and can't be entered."""
    return os.path.exists(f"{place(conf)}/proc/meminfo")


def bind(conf: NodeConf, pid: int) -> None:
    """Show a container that was made just now, by the pid of its init, its own figures.

    Nothing happens where there is no lxcfs. Raises OSError.
    """
    if wanted(conf) and alive(conf):
        within(pid, {where: f"{place(conf)}{where}" for where in PLACES})


def source(conf: NodeConf, where: str) -> str:
    """What is to be seen there, of a container that had lxcfs when it was dumped: without one
    these are the node's own figures.
    """
    return f"{place(conf)}{where}" if alive(conf) else where


def wanted(conf: NodeConf) -> bool:
    return veconf.read(conf.vz_conf).get(KEY, "yes") != "no"


def missing(conf: NodeConf) -> str:
    """Why containers see the node's figures, for the node's page; empty when they see their own."""
    if not wanted(conf):
        return f'{KEY}="no" in {conf.vz_conf}'
    if alive(conf):
        return ""
    return unable() or "lxcfs does not run"


def unable() -> str:
    if not shutil.which(PROGRAM):
        return "the package lxcfs is not installed"
    return "" if FUSE.exists() else f"this kernel has no FUSE: there is no {FUSE}"


def plan(conf: NodeConf) -> list[str]:
    """What prepare would do, in a sentence without full stop."""
    if not wanted(conf) or unable() or alive(conf):
        return []
    return [f"lxcfs at {place(conf)}, so that containers see their own memory and processors"]


def prepare(conf: NodeConf) -> list[str]:
    """Start it where the node can, in the place of a dead one too; returns what was done.

    That it can't be started is no reason to do without containers: then that is said.
    """
    said = plan(conf)
    try:
        if said:
            start(conf)
    except OperationError as error:
        return [f"containers see the node's memory and processors, not their own: {error}"]
    return said


def start(conf: NodeConf) -> None:
    take_off(conf)
    place(conf).mkdir(parents=True, exist_ok=True)
    leave(["setsid", "--fork", PROGRAM, "--enable-loadavg", "--enable-cfs",
           f"--pidfile={pid_file(conf)}", f"{place(conf)}"])  # fmt: skip
    deadline = time.monotonic() + ANSWERS_WITHIN
    while not alive(conf):
        if time.monotonic() > deadline:
            raise OperationError(Problem.LXCFS_SILENT, seconds=ANSWERS_WITHIN)
        time.sleep(LOOK)
    stand_alone(conf)


def stand_alone(conf: NodeConf) -> None:
    """Out of the group of whoever started it, so that it doesn't end with that."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file(conf).read_text())
        group = Group(f"{conf.cgroup}/lxcfs")
        group.make()
        group.add(pid)
        Path(f"/proc/{pid}/oom_score_adj").write_text(f"{NEEDED}")


def mend(conf: NodeConf) -> list[str]:
    """Bind it in the place of a dead one, in containers that run; returns what was done."""
    said: list[str] = []
    if not wanted(conf) or not alive(conf):
        return said
    for folder in sorted((conf.run / "runc").glob("[0-9]*")):
        init = observed.init_of(Layout(conf, int(folder.name)))
        if init and init.alive and (places := stale(conf, init.pid)):
            try:
                within(init.pid, {where: source(conf, where) for where in places}, instead=True)
            except OSError as error:
                said.append(f"CT {folder.name} can't see its own memory and processors: {error}")
            else:
                said.append(f"CT {folder.name} has another lxcfs")
    return said


def stale(conf: NodeConf, pid: int) -> list[str]:
    """The places at which a container has a dead lxcfs, or files of the node's own /proc.

    Told by the table of its mounts: nothing in it is touched.
    """
    device = os.stat(place(conf)).st_dev
    now = f"{os.major(device)}:{os.minor(device)}"
    return [where for where, found in mounted_at(pid) if where in PLACES and found != now]


def mounted_at(pid: int) -> Iterator[tuple[str, str]]:
    """Where something is mounted in a container, and the number of the file system."""
    with contextlib.suppress(OSError):
        for line in lines_of(f"/proc/{pid}/mountinfo"):
            words = line.split(" ")
            yield words[4], words[2]


def within(pid: int, sources: Mapping[str, str], *, instead: bool = False) -> None:
    """Bind files of the node at places of a process's mounts. Raises OSError.

    instead: what was mounted there goes, which may take the kernel a fifth of a second.
    A mount namespace is the thread's that enters it: this one ends in it.
    """
    failed: list[OSError] = []

    def enter() -> None:
        try:
            with contextlib.ExitStack() as held:
                trees = {where: held.enter_context(idmap.cloned(Path(source)))
                         for where, source in sources.items()}  # fmt: skip
                for where, tree in trees.items():
                    idmap.make_private(tree, Path(sources[where]))
                space = held.enter_context(idmap.folder(f"/proc/{pid}/ns/mnt"))
                idmap.done(idmap.libc().unshare(CLONE_FS), "a place of its own")
                idmap.done(idmap.libc().setns(space, idmap.CLONE_NEWNS), "its mounts")
                for where, tree in trees.items():
                    with contextlib.suppress(OSError):  # its root has taken it off
                        if instead:
                            unmount(where, lazy=True)
                    idmap.put(tree, Path(where))
        except OSError as error:
            failed.append(error)

    thread = Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def remove(conf: NodeConf) -> list[str]:
    """End it, once no container runs any more; returns what was done."""
    found = bool(mounts_in(place(conf)))
    take_off(conf)
    with contextlib.suppress(OSError):
        place(conf).rmdir()
    return [f"lxcfs at {place(conf)} is ended"] if found else []


def take_off(conf: NodeConf) -> None:
    """Take its place away, and end the process if it runs still."""
    for mount in mounts_in(place(conf)):
        call(["umount", "--lazy", "--no-canonicalize", f"{mount.point}"])
    for pid in Group(f"{conf.cgroup}/lxcfs").processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    pid_file(conf).unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    act = {"--plan": plan, "--remove": remove}[arguments[0]]
    try:
        for sentence in act(load()):
            print(sentence)
    except OperationError as error:
        print(f"lxcfs: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
