"""Steps that keep the processes and the disk of one instant, as one object.

Some of them stop the container for that instant and let it go on, others end its processes with
the dump: for a suspension, or for the safety snapshot of a restore.
"""

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from containers.node import truth
from containers.node.bundle import ids, init_of
from containers.node.cgroup import Group, mounted
from containers.node.checkpoint import cpu, criu, manifest, record, room, saved, version
from containers.node.checkpoint.obstacles import obstacles
from containers.node.checkpoint.record import Record
from containers.node.checkpoint.room import MIB, SPARE
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.errors import (
    Code,
    CommandFailed,
    NoSpace,
    OperationError,
    Refused,
    TimedOut,
)
from containers.node.plan import Step
from containers.node.run import call
from containers.node.states import State
from containers.node.steps.restoring import forget_work, restore, uuid_of, work_of
from containers.node.storage import space

SETTLING = 30.0  # seconds that a CRIU whose runc is gone may take to let the processes go on
LOOKS = 0.02  # seconds between two looks


class CannotDump(OperationError):
    """The container goes on running."""

    code = Code.CHECKPOINT


def check_processes(ct: Ct) -> None:
    check(ct, processes=True)


def check_room(ct: Ct) -> None:
    check(ct, processes=False)


def check(ct: Ct, *, processes: bool) -> None:
    """Raises what would make the dump fail, as far as that can be seen beforehand."""
    need = SPARE
    if processes:
        criu.find(ct.paths.node)
        init = truth.init_of(ct.paths)
        for obstacle in obstacles(init.pid) if init else ():
            if obstacle.fatal:
                raise CannotDump(f"its processes can't be kept: {obstacle.sentence}")
            ct.say(f"Warning: {obstacle.sentence}.")
        need += room.memory(ct.paths)
    free = space(ct.paths.node.vz).free
    if free < need:
        raise NoSpace(f"it takes about {need // MIB} MiB, and only {free // MIB} MiB are free")


def dump(ct: Ct, into: Saved, *, leave_running: bool) -> None:
    """Neither cancelled nor ended half way: processes that CRIU holds would not survive that."""
    own = criu.find(ct.paths.node)
    work = work_of(ct)
    criu.write_options(work / "options", stopping=not leave_running)
    make_images(ct, into)
    argv = ct.runtime.checkpoint(
        ct.paths,
        criu.environment(own, work / "options"),
        into.images,
        work,
        leave_running=leave_running,
    )
    try:
        with umask(0o027):
            call(argv, timeout=criu.time_limit(room.memory(ct.paths)), group=group_of(ct))
    except CommandFailed as e:
        settle(ct)
        raise not_dumped(ct, e, work / "dump.log") from e
    ct.door.obey()


def make_images(ct: Ct, into: Saved) -> None:
    """Some of the images are read, by a restore, as the container's root: its group may.

    Nobody but the node's root reaches them, for the folder above is closed.
    """
    into.images.mkdir(exist_ok=True)
    os.chown(into.images, 0, ids(ct)[0])
    into.images.chmod(0o2750)


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def not_dumped(ct: Ct, error: CommandFailed, log: Path) -> OperationError:
    why = criu.fault(log)
    if isinstance(error, TimedOut):
        why = f"that was not done after {error.seconds:g} s"
    ct.say(error.said or f"{error}")
    for line in criu.errors(log):
        ct.say(f"CRIU: {line}")
    if "disk is full" in why or space(ct.paths.node.vz).free < SPARE:
        return NoSpace("its processes can't be kept: the disk is full")
    return CannotDump(f"its processes can't be kept: {why or error}")


def group_of(ct: Ct) -> Group:
    return Group(f"{ct.paths.node.cgroup}/operation-{ct.operation}")


def settle(ct: Ct) -> None:
    """Wait for a dump that nobody waits for any more: CRIU lets the processes go when it ends."""
    group = group_of(ct)
    deadline = time.monotonic() + SETTLING
    while group.processes() and time.monotonic() < deadline:
        time.sleep(LOOKS)
    group.kill()
    group.remove()


def pause(ct: Ct) -> None:
    (work_of(ct) / "paused").touch()
    call(ct.runtime.pause(ct.paths))


def thaw(ct: Ct) -> None:
    """Let it go on, whoever has stopped it; says how long it stood still."""
    settle(ct)
    if truth.paused(ct.paths):
        call(ct.runtime.resume(ct.paths))
    with contextlib.suppress(FileNotFoundError):
        since = (work_of(ct) / "paused").stat().st_mtime
        ct.fact("frozen", round(time.time() - since, 3))
        (work_of(ct) / "paused").unlink()


@dataclass(frozen=True)
class Making:
    """param: which of the operation's params holds the UUID."""

    param: str

    def __str__(self) -> str:
        return "safety snapshot" if self.param == "safety" else "snapshot"

    def saved(self, ct: Ct) -> Saved:
        return saved.at_hand(ct.paths, uuid_of(ct, self.param))

    def check_new(self, ct: Ct) -> None:
        """A step of its own: to undo the next one is to delete what it made."""
        uuid = uuid_of(ct, self.param)
        if saved.published(ct.paths, uuid).path.exists():
            raise Refused(f"there is a snapshot {uuid} already", Code.EXISTS)

    def begin(self, ct: Ct) -> None:
        new = saved.draft(ct.paths, uuid_of(ct, self.param))
        saved.remove(new, ct.storage)
        new.path.mkdir(0o700, parents=True)
        copy_beside(ct, new)

    def discard(self, ct: Ct) -> None:
        uuid = uuid_of(ct, self.param)
        for each in (saved.draft(ct.paths, uuid), saved.published(ct.paths, uuid)):
            saved.remove(each, ct.storage)
        with contextlib.suppress(OSError):  # others may be in it
            ct.paths.snapshots.rmdir()
        forget_work(ct)
        ct.fact("snapshot_gone", uuid)

    def dump(self, ct: Ct) -> None:
        dump(ct, self.saved(ct), leave_running=True)

    def dump_and_stop(self, ct: Ct) -> None:
        dump(ct, self.saved(ct), leave_running=False)

    def revive(self, ct: Ct) -> None:
        revive(ct, self.saved(ct))

    def copy(self, ct: Ct) -> None:
        call(ct.storage.snapshot(ct.paths.fs, self.saved(ct).fs, readonly=True))

    def seal(self, ct: Ct) -> None:
        kept = self.saved(ct)
        record.write(kept, record_of(ct, kept, uuid_of(ct, self.param)))
        manifest.write(kept)

    def publish(self, ct: Ct) -> None:
        """From here on it is a snapshot."""
        uuid, kept = uuid_of(ct, self.param), self.saved(ct)
        known = record.read(kept)
        facts = {
            "uuid": uuid,
            "kind": self.param,
            "manifest": manifest.hash_of(kept.manifest),
            "processes": known.processes,
            "size": known.memory,
            "created": known.created,
            "version": known.version,
            "criu": known.criu,
            "kernel": known.kernel,
            "caps": f"{known.caps}",  # more bits than JavaScript's numbers have
            "hostname": known.hostname,
            "addresses": list(known.addresses),
            "mounts": list(known.mounts),
            "init": known.init,
        }
        whole = saved.published(ct.paths, uuid)
        if kept != whole:
            kept.path.rename(whole.path)
            sync(whole.path.parent)
        forget_work(ct)
        ct.fact("snapshot", facts)


def copy_beside(ct: Ct, new: Saved) -> None:
    """Configuration and scripts; of what else may lie among the scripts, nothing."""
    for source, target in ((ct.paths.ve_conf, new.ve_conf),
                           (ct.paths.bundle / "config.json", new.config)):  # fmt: skip
        if source.is_file():
            shutil.copyfile(source, target)
    if groups := own_groups(ct):
        new.groups.write_text("".join(f"{group}\n" for group in groups))
    new.scripts.mkdir(mode=0o700)
    for script in ct.paths.scripts.iterdir():
        if stat.S_ISREG(script.lstat().st_mode):
            shutil.copy(script, new.scripts / script.name)


def own_groups(ct: Ct) -> list[str]:
    """Those that the container made below its own in v2's hierarchy, where it is beside v1's:
    CRIU, that restores all others, knows nothing of it there."""
    places = mounted()
    if "cgroup2" not in places or "freezer" not in places:
        return []
    top = places["cgroup2"] / ct.paths.cgroup.lstrip("/")
    return sorted(f"{path.relative_to(top)}" for path in top.glob("**/") if path != top)


def record_of(ct: Ct, kept: Saved, uuid: str) -> Record:
    base, size = ids(ct)
    init, here = init_of(ct), os.uname()
    processes = kept.processes
    known = Record(
        version=version.VERSION,
        uuid=uuid,
        ctid=ct.ctid,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        processes=processes,
        hostname=ct.spec.hostname,
        name=f"{ct.params.get('name') or ''}",
        note=f"{ct.params.get('note') or ''}",
        template=ct.spec.template,
        addresses=ct.spec.ips,
        init=init.kind if init else "",
        arch=here.machine,
        kernel=here.release,
        base=base,
        size=size,
        disk=identity(ct, kept),
    )
    if not processes:
        return known
    own = criu.find(ct.paths.node)
    return record.with_processes(known, kept, own.version, cpu.of_node())


def identity(ct: Ct, kept: Saved) -> str:
    if not kept.fs.is_dir():
        return ""  # a suspended container's is its own
    return ct.storage.parse_identity(call(ct.storage.identity(kept.fs)))


def revive(ct: Ct, kept: Saved) -> None:
    """Undo a dump that ended the processes; does nothing where it did not come to that."""
    settle(ct)
    init = truth.init_of(ct.paths)
    if init and init.alive:
        thaw(ct)
    elif kept.processes:
        restore(ct, kept)


def sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def while_running(ct: Ct) -> bool:
    """Processes are dumped with it; params: disk_only."""
    return not ct.params.get("disk_only")


SNAPSHOT = Making("snapshot")
SAFETY = Making("safety")

THAW = Step("thaw", "let it go on", do=thaw)
PAUSE = Step("pause", "stop its processes for a moment", do=pause, undo=(THAW,))
CHECK = Step("check", "look for room and for obstacles", do=check_processes)
CHECK_ROOM = Step("check", "look for room", do=check_room)


def begin(making: Making) -> tuple[Step, Step]:
    discard = Step(f"discard-{making.param}", f"remove the {making}", do=making.discard)
    return (
        Step(f"check-{making.param}", f"check that the {making} is new", do=making.check_new),
        Step(f"begin-{making.param}", f"begin the {making}", do=making.begin, undo=(discard,)),
    )


def dump_running(making: Making) -> Step:
    return Step(f"dump-{making.param}", "keep its processes", do=making.dump)


def dump_and_stop(making: Making) -> Step:
    revive = Step(f"revive-{making.param}", "let its processes live again", do=making.revive,
                  leaves=State.RUNNING)  # fmt: skip
    return Step(
        f"dump-{making.param}",
        "keep its processes and end them",
        do=making.dump_and_stop,
        undo=(revive,),
        leaves=State.MOUNTED,
    )


def copy_disk(making: Making) -> Step:
    return Step(f"copy-{making.param}", "keep its disk", do=making.copy)


def seal(making: Making) -> Step:
    return Step(f"seal-{making.param}", "take the hashes of all files", do=making.seal)


def publish(making: Making) -> Step:
    return Step(f"publish-{making.param}", f"keep the {making}", do=making.publish)
