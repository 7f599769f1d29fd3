"""Steps that keep the processes and the disk of one instant, as one object.

Some of them stop the container for that instant and let it go on, others end its processes with
the dump: for a suspension, or for the safety snapshot of a restore.
"""

import contextlib
import os
import shlex
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from containers.node.checkpoint import (
    cpu,
    criu,
    manifest,
    record,
    saved,
    scripted,
    version,
    watches,
)
from containers.node.checkpoint.record import Record
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem, Refused
from containers.node.plan import Step, Steps
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.steps.dumping import (
    WantsLinks,
    check_processes,
    check_room,
    dump,
    ended,
    homeless,
    pause,
    revivable,
    revive,
    thaw,
)
from containers.node.steps.mounting import DISMOUNT
from containers.node.steps.restoring import forget_work, new_disk, uuid_of
from containers.node.steps.roles import note, role_of
from containers.node.templates.init import NoInit, detect

COPYING = """#!/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ "$CRTOOLS_SCRIPT_ACTION" = post-dump ] && [ ! -e {fs} ] || exit 0
{copy} >/dev/null </dev/null
"""


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
            raise Refused(Problem.SNAPSHOT_EXISTS, uuid=uuid)

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
        """Where links have to be made for files, CRIU copies the disk: it takes them away again."""
        kept = self.saved(ct)
        try:
            dump(ct, kept, leave_running=True)
        except WantsLinks:
            ct.say("Files that are open have lost their names; the copy gets links to them.")
            shutil.rmtree(kept.images)
            script = self.write_copying(ct, kept)
            dump(ct, kept, leave_running=True, script=script)
            script.unlink()

    def write_copying(self, ct: Ct, kept: Saved) -> Path:
        """What CRIU runs on each occasion, and some twice."""
        script = kept.path / "copy"
        copy = shlex.join(ct.storage.snapshot(ct.paths.fs, kept.fs, readonly=True))
        script.write_text(COPYING.format(fs=shlex.quote(f"{kept.fs}"), copy=copy))
        script.chmod(0o700)
        return script

    def dump_and_stop(self, ct: Ct) -> None:
        dump(ct, self.saved(ct), leave_running=False)

    def revivable(self, ct: Ct) -> bool:
        return revivable(ct, self.saved(ct))

    def revive(self, ct: Ct) -> None:
        revive(ct, self.saved(ct))

    def homeless(self, ct: Ct) -> bool:
        return homeless(ct, self.saved(ct))

    def not_homeless(self, ct: Ct) -> bool:
        """Else it is all that is left of its processes."""
        return not self.homeless(ct)

    def unkept(self, ct: Ct) -> bool:
        """They are in a draft, which the end of this operation makes nobody's."""
        uuid = uuid_of(ct, self.param)
        return self.homeless(ct) and not saved.published(ct.paths, uuid).path.exists()

    def keep(self, ct: Ct) -> None:
        """Make a snapshot of it, with the disk that it had then."""
        kept, former = self.saved(ct), new_disk(ct)
        disk = former if role_of(ct, former) == "old" else ct.paths.fs
        if not kept.fs.exists():
            call(ct.storage.snapshot(disk, kept.fs, readonly=True))
        self.seal(ct)
        self.publish(ct, only=True)
        ct.remains = OperationError(Problem.PROCESSES_KEPT, uuid=uuid_of(ct, self.param))

    def copy(self, ct: Ct) -> None:
        """Unless CRIU has."""
        if not self.saved(ct).fs.exists():
            call(ct.storage.snapshot(ct.paths.fs, self.saved(ct).fs, readonly=True))

    def seal(self, ct: Ct) -> None:
        kept = self.saved(ct)
        name_watches(ct, kept)
        record.write(kept, record_of(ct, kept, uuid_of(ct, self.param)))
        manifest.write(kept)

    def publish(self, ct: Ct, *, only: bool = False) -> None:
        """From here on it is a snapshot. only: its processes are nowhere else."""
        uuid, kept = uuid_of(ct, self.param), self.saved(ct)
        known = record.read(kept)
        facts = {
            "uuid": uuid,
            "kind": self.param,
            "only": only,
            "manifest": manifest.hash_of(kept.manifest),
            "processes": known.processes,
            "size": known.memory,
            "created": known.created,
            "version": known.version,
            "criu": known.criu,
            "kernel": known.kernel,
            "caps": f"{known.caps}",  # more bits than JavaScript's numbers have
            "hostname": known.hostname,
            "template": known.template,
            "addresses": list(known.addresses),
            "mounts": list(known.mounts),
            "carried": [each.path for each in scripted.read(kept) or () if each.carried],
            "init": known.init,
        }
        whole = saved.published(ct.paths, uuid)
        if kept != whole:
            kept.path.rename(whole.path)
            sync(whole.path.parent)
        forget_work(ct)
        ended(ct).unlink(missing_ok=True)
        ct.fact("snapshot", facts)


def name_watches(ct: Ct, kept: Saved) -> None:
    """Have its processes watch files of the disk that is kept: where it goes, they go with it."""
    image, new = kept.images / watches.IMAGE, watches.subvolume(kept.fs)
    if not image.exists() or new is None:
        return
    disks = (ct.paths.fs, new_disk(ct))
    old = {found for disk in disks if (found := watches.subvolume(disk)) is not None}
    before = image.read_bytes()
    if (after := watches.moved(before, old - {new}, new)) != before:
        image.write_bytes(after)


def copy_beside(ct: Ct, new: Saved) -> None:
    """Configuration and scripts; of what else may lie among the scripts, nothing."""
    for source, target in ((ct.paths.ve_conf, new.ve_conf),
                           (ct.paths.bundle / "config.json", new.config)):  # fmt: skip
        if source.is_file():
            shutil.copyfile(source, target)
    new.scripts.mkdir(mode=0o700)
    for script in ct.paths.scripts.iterdir():
        if stat.S_ISREG(script.lstat().st_mode):
            shutil.copy(script, new.scripts / script.name)


def record_of(ct: Ct, kept: Saved, uuid: str) -> Record:
    here = os.uname()
    known = Record(
        version=version.VERSION,
        uuid=uuid,
        ctid=ct.ctid,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        processes=kept.processes,
        hostname=ct.spec.hostname,
        name=f"{ct.params.get('name') or ''}",
        note=f"{ct.params.get('note') or ''}",
        template=ct.spec.template,
        addresses=ct.spec.ips,
        init=init_kind(ct, kept),
        arch=here.machine,
        kernel=here.release,
        base=ct.ids.base,
        size=ct.ids.size,
        disk=identity(ct, kept),
    )
    if not kept.processes:
        return known
    own = criu.find(ct.paths.node)
    return record.with_processes(known, kept, own.version, cpu.of_node())


def identity(ct: Ct, kept: Saved) -> str:
    if not kept.fs.is_dir():
        return ""  # a suspended container's is its own
    return ct.storage.parse_identity(call(ct.storage.identity(kept.fs)))


def init_kind(ct: Ct, kept: Saved) -> str:
    try:
        return detect(kept.fs if kept.fs.is_dir() else ct.paths.fs).kind
    except NoInit:
        return ""


def sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def adopt(ct: Ct) -> None:
    """The former disk becomes the safety snapshot's, as it is: nothing has to be copied."""
    former, kept = new_disk(ct), SAFETY.saved(ct).fs
    if role_of(ct, former) == "old":
        former.rename(kept)
    try:
        call(ct.storage.seal(kept))
    except OperationError:
        kept.rename(former)
        raise


def give_back(ct: Ct) -> None:
    """A copy that can be written to, for the sealed one goes with the safety snapshot."""
    former, kept = new_disk(ct), SAFETY.saved(ct).fs
    if kept.is_dir() and not former.exists():
        call(ct.storage.snapshot(kept, former))
        note(ct, old=ct.storage.mark(former), new=ct.storage.mark(ct.paths.fs))


SNAPSHOT = Making("snapshot")
SAFETY = Making("safety")

THAW = Step("thaw", "let its processes go on", do=thaw)
PAUSE = Step("pause", "pause its processes", do=pause, undo=(THAW,))
GIVE_BACK = Step("give-back", "take the former disk out of the snapshot again", do=give_back)
ADOPT = Step(
    "adopt-disk",
    "keep the former disk in the safety snapshot",
    do=adopt,
    undo=(GIVE_BACK,),
    commits=True,
)
CHECK = Step("check-processes", "check that its processes can be saved", do=check_processes)
CHECK_ROOM = Step("check-room", "check that there is room", do=check_room)


# Else the umount scripts of what comes next would trip over what is missing there
DISMOUNT_LEFT = DISMOUNT.but(key="dismount-left", commits=False, regardless=True,
                             when=lambda ct: ct.remains is not None)  # fmt: skip


def begin(making: Making) -> Steps:
    discard = Step(f"discard-{making.param}", f"remove the {making}", do=making.discard,
                   when=making.not_homeless)  # fmt: skip
    check = Step(f"check-{making.param}", f"check that the {making} is new", do=making.check_new)
    begin = Step(f"begin-{making.param}", f"begin the {making}", do=making.begin, undo=(discard,))
    return Steps([check, begin])


def dump_running(making: Making) -> Step:
    return Step(f"dump-paused-{making.param}", "save its processes", do=making.dump,
                unbroken=True)  # fmt: skip


def dump_and_stop(making: Making) -> Step:
    revive = Step(f"revive-{making.param}", "bring its processes back", do=making.revive,
                  leaves=State.RUNNING, when=making.revivable)  # fmt: skip
    keep = Step(f"keep-{making.param}", f"keep its processes as a {making}", do=making.keep,
                when=making.unkept, regardless=True)  # fmt: skip
    return Step(
        f"dump-{making.param}",
        "save its processes and end them",
        do=making.dump_and_stop,
        undo=(revive, keep, DISMOUNT_LEFT),
        leaves=State.MOUNTED,
        unbroken=True,
    )


def copy_disk(making: Making) -> Step:
    return Step(f"copy-{making.param}", "save its disk", do=making.copy)


def seal(making: Making) -> Step:
    return Step(f"seal-{making.param}", "compute the checksums of all files", do=making.seal)


def publish(making: Making) -> Step:
    return Step(f"publish-{making.param}", f"keep the {making}", do=making.publish)
