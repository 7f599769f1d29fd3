"""Makes <vz> usable: a btrfs that is there, else one in a sparse image, else plain directories.

Each start and each reboot runs it: what is in place is left as it is. PANEL_POOL_SIZE: the
image's size in bytes, or with K, M, G or T; else 80 % of the free space, at most 200 GiB.
"""

import argparse
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from containers.node import conf as configuration
from containers.node.conf import NodeConf
from containers.node.errors import (
    BadValue,
    BadValues,
    Code,
    NoSpace,
    OperationError,
    Problem,
    Refused,
)
from containers.node.processes.run import call
from containers.node.storage import Storage, load, owners
from containers.node.storage.mounts import Mount, mount_of, mounts_in

GIB = 1 << 30
SMALLEST, LARGEST = 2 * GIB, 200 * GIB
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": GIB, "T": 1 << 40}
OPTIONS = "loop,noatime,discard=async"  # CRIU wants the same atime flags wherever it restores
NEVER = "8"  # the level of no tree
SYSFS = Path("/sys/fs/btrfs")

# On the disk a container's root is the node's, and so are the set-user-id files that it makes.
CLOSED = 0o700
FOLDERS = ("template", "private", "root", "snapshots", "old", "lock")


@dataclass(frozen=True)
class Job:
    says: str  # what it does, as a sentence that starts with the verb
    do: Callable[[], object]


def plan(conf: NodeConf) -> list[str]:
    """What prepare would do; changes nothing and needs no root."""
    return [job.says for job in jobs(conf)]


def prepare(conf: NodeConf) -> list[str]:
    """Do it, and say what was done; empty when all was in place."""
    done = []
    for job in jobs(conf):
        job.do()
        done.append(job.says)
    owners.note(conf)
    return done


def mounted(conf: NodeConf) -> bool:
    """Whether the pool's own image is mounted, or none is needed."""
    return not image(conf).exists() or mount_of(conf.vz).point == real(conf.vz)


def driver(conf: NodeConf) -> Storage:
    return load("btrfs" if mount_of(conf.vz).kind == "btrfs" else "directory")


def image(conf: NodeConf) -> Path:
    return conf.state / "pool.img"


def former_view(conf: NodeConf) -> Path:
    """Where <vz> was shown once more, to runtimes of before: until the node's next reboot."""
    return conf.run / "vz"


def remove(conf: NodeConf, *, keep_image: bool = True) -> list[str]:
    """Take the mounts and the loop device away; raises Refused while a container uses them."""
    at, own = real(conf.vz), image(conf)
    busy = [m.point for m in mounts_in(conf.vz) if m.point != at]
    if busy:
        raise Refused(Problem.POOL_BUSY, path=busy[0])
    done = []
    for mount in [*mounts_in(former_view(conf)), *mounts_in(conf.vz)]:
        if mount.point == at and not is_on(mount, own):
            continue  # a btrfs of the user's own
        call(["umount", f"{mount.point}"])
        done.append(f"unmounted {mount.point}")
    (conf.run / "idmap").unlink(missing_ok=True)
    for folder in (former_view(conf), conf.run / "rootfs", conf.run):
        with suppress(OSError):  # others may have something there
            folder.rmdir()
    for device in loops(own):
        call(["losetup", "--detach", device])
        done.append(f"detached {device}")
    if own.exists():
        if not keep_image:
            own.unlink()
        done.append(f"kept {own}, with all containers in it" if keep_image else f"deleted {own}")
    return done


def jobs(conf: NodeConf) -> Iterator[Job]:
    """What has to be done, each looked for when the ones before it are done."""
    if not conf.vz.is_dir():
        yield Job(f"make the folder {conf.vz}",
                  lambda: conf.vz.mkdir(0o711, parents=True, exist_ok=True))  # fmt: skip
    if mount_of(conf.vz).kind != "btrfs":
        yield from image_jobs(conf)
    if mount_of(conf.vz).kind == "btrfs" and os.geteuid() == 0:  # nobody else may ask
        yield from quota_jobs(conf.vz)
    yield from folder_jobs(conf)
    if mounts_in(former_view(conf)) and not in_use(conf):
        yield Job(f"no longer show {conf.vz} at {former_view(conf)}", lambda: hide(conf))


def image_jobs(conf: NodeConf) -> Iterator[Job]:
    own = image(conf)
    if not own.exists():
        if reason := no_btrfs(conf):
            if not (conf.vz / "private").exists():
                yield Job(f"use plain directories in {conf.vz}, without disk limits: {reason}",
                          lambda: None)  # fmt: skip
            return
        size = size_of_image(conf)
        yield Job(f"make {own}, a sparse btrfs image that can grow to {in_units(size)}",
                  lambda: make_image(own, size))  # fmt: skip
    yield Job(f"mount {own} at {conf.vz}",
              lambda: call(["mount", "-o", OPTIONS, f"{own}", f"{conf.vz}"]))  # fmt: skip


def no_btrfs(conf: NodeConf) -> str:
    """Why no image can be made; empty when one can."""
    if any((conf.vz / "private").glob("*")):
        return "there are containers in plain directories already"
    for module, sign in (("btrfs", "btrfs\n"), ("loop", "")):
        there = sign in Path("/proc/filesystems").read_text() if sign else loop_there()
        if not there and not loadable(module):
            return f"this kernel has no {module}"
    return ""


def loop_there() -> bool:
    return Path("/dev/loop-control").exists()


def loadable(module: str) -> bool:
    try:
        call(["modprobe", "--dry-run", "--quiet", module])
    except OperationError:
        return False
    return True


def size_of_image(conf: NodeConf) -> int:
    """Raises BadValue, NoSpace."""
    if told := os.environ.get("PANEL_POOL_SIZE"):
        return size_in_bytes(told)
    parent = next(p for p in (conf.state, *conf.state.parents) if p.exists())
    free = shutil.disk_usage(parent).free
    if free < SMALLEST:
        raise NoSpace(Problem.POOL_SPACE, path=parent, free=free, needed=SMALLEST)
    return min(LARGEST, max(SMALLEST, free * 8 // 10)) >> 20 << 20


def size_in_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMGT]?)", text.strip().upper())
    if not match:
        raise BadValue(BadValues.NOT_A_SIZE, word=text)
    return int(match[1]) * UNITS[match[2]]


def in_units(size: int) -> str:
    return f"{size / GIB:.0f} GiB" if size >= GIB else f"{size >> 20} MiB"


def make_image(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        fresh.chmod(0o600)
        file.truncate(size)
    call(["mkfs.btrfs", "--quiet", "--force", "--label", "panel", f"{fresh}"])
    fresh.rename(path)


def quota_jobs(vz: Path) -> Iterator[Job]:
    folder = quota_folder(mount_of(vz))
    astray = folder / "inconsistent"
    try:
        call(["btrfs", "qgroup", "show", f"{vz}"])
    except OperationError:
        yield Job(f"switch on the disk quotas of {vz}",
                  lambda: call(["btrfs", "quota", "enable", f"{vz}"]))  # fmt: skip
    else:
        if astray.exists() and astray.read_text().strip() == "1":
            yield Job("count anew what the disk quotas have lost sight of",
                      lambda: call(["btrfs", "quota", "rescan", f"{vz}"], ok=(0, 1)))  # fmt: skip
    # When a large subvolume is deleted a kernel ≥ 6.2 stops counting, and all limits with it,
    # unless told to go on.
    level = folder / "drop_subtree_threshold"
    if level.exists() and level.read_text().strip() != NEVER:
        yield Job("have the disk quotas go on counting while subvolumes are deleted",
                  lambda: level.write_text(NEVER))  # fmt: skip


def quota_folder(mount: Mount) -> Path:
    device = Path(mount.source).resolve().name
    return next((SYSFS.glob(f"*/devices/{device}")), Path("/")).parent.parent / "qgroups"


def folder_jobs(conf: NodeConf) -> Iterator[Job]:
    for path in (conf.vz / name for name in FOLDERS):
        if not path.is_dir():
            yield Job(f"make the folder {path}", partial(make, path, CLOSED))
        elif not is_as(path, CLOSED):
            yield Job(f"close {path} to all but root", partial(make, path, CLOSED))
    passable = (conf.run.parent, conf.run, conf.run / "rootfs")  # a container's root goes there
    for path in passable:
        if not path.is_dir() or path.stat().st_mode & 0o011 != 0o011:
            yield Job(f"let the containers' runtimes pass {path}", partial(let_pass, path))


def is_as(path: Path, mode: int) -> bool:
    found = path.stat()
    return (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, 0, 0)


def make(path: Path, mode: int) -> None:
    path.mkdir(mode, exist_ok=True)
    os.chown(path, 0, 0)
    path.chmod(mode)


def let_pass(path: Path) -> None:
    path.mkdir(0o711, exist_ok=True)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)


def in_use(conf: NodeConf) -> bool:
    """Whether a container of before runs still: an exec in it begins at its root file system."""
    view = json.dumps(f"{former_view(conf)}/").rstrip('"')
    return any(view in path.read_text() for path in (conf.run / "runc").glob("*/state.json"))


def hide(conf: NodeConf) -> None:
    for mount in mounts_in(former_view(conf)):
        call(["umount", f"{mount.point}"])
    with suppress(OSError):
        former_view(conf).rmdir()


def loops(file: Path) -> list[str]:
    said = call(["losetup", "--noheadings", "--output", "NAME", "--associated", f"{file}"])
    return said.decode().split()


def is_on(mount: Mount, file: Path) -> bool:
    return mount.source in loops(file)


def real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the pool of this node's containers usable.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would be done")
    what.add_argument("--remove", action="store_true", help="unmount it; its image is kept")
    asked = parser.parse_args()
    do = plan if asked.plan else remove if asked.remove else prepare
    try:
        for sentence in do(configuration.load()):
            print(sentence)
    except OperationError as e:
        print(e, file=sys.stderr)
        return e.code
    except PermissionError as e:
        print(f"{e.filename}: {e.strerror}; this needs root", file=sys.stderr)
        return Code.SYSTEM
    return 0


if __name__ == "__main__":
    sys.exit(main())
