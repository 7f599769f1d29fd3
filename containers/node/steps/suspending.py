"""Steps that keep the processes of a container in its private area, until it is resumed.

Only the processes: the disk is the container's own, and nobody uses it meanwhile.
"""

from containers.node.checkpoint import manifest, record, saved
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem, Refused
from containers.node.plan import Step
from containers.node.states import State
from containers.node.steps.dumping import dump, ended, homeless, revivable, revive
from containers.node.steps.mounting import DISMOUNT
from containers.node.steps.restoring import RESTORE, forget_work, restore, stand
from containers.node.steps.running import DELETE, POSTUMOUNT_SCRIPTS, UMOUNT_SCRIPTS
from containers.node.steps.snapshotting import copy_beside, record_of, sync

NOBODY = "00000000-0000-0000-0000-000000000000"  # a suspension has no UUID


def begin(ct: Ct) -> None:
    new = saved.new_dump(ct.paths)
    saved.remove(new, ct.storage)
    new.path.mkdir(0o700)
    copy_beside(ct, new)


def discard(ct: Ct) -> None:
    saved.remove(saved.new_dump(ct.paths), ct.storage)
    forget_work(ct)


def keep(ct: Ct) -> None:
    dump(ct, saved.new_dump(ct.paths), leave_running=False)


def unsettled(ct: Ct) -> bool:
    """It is not suspended yet."""
    return saved.new_dump(ct.paths).path.exists()


def revivable_yet(ct: Ct) -> bool:
    return unsettled(ct) and revivable(ct, saved.new_dump(ct.paths))


def live_again(ct: Ct) -> None:
    revive(ct, saved.new_dump(ct.paths))


def homeless_yet(ct: Ct) -> bool:
    return homeless(ct, saved.new_dump(ct.paths))


def may_go(ct: Ct) -> bool:
    return unsettled(ct) and not homeless_yet(ct)


def stay_suspended(ct: Ct) -> None:
    seal(ct)
    settle(ct)
    ct.remains = OperationError(Problem.STILL_SUSPENDED)


def seal(ct: Ct) -> None:
    new = saved.new_dump(ct.paths)
    record.write(new, record_of(ct, new, NOBODY))
    manifest.write(new)


def settle(ct: Ct) -> None:
    """From here on it is suspended."""
    new = saved.new_dump(ct.paths)
    if new.path.exists():
        new.path.rename(saved.dump(ct.paths).path)
    sync(ct.paths.private)
    forget_work(ct)
    ended(ct).unlink(missing_ok=True)


def check(ct: Ct) -> None:
    kept = saved.dump(ct.paths)
    if not kept.path.is_dir():
        raise Refused(Problem.NOT_SUSPENDED)
    if wrong := manifest.check(kept):
        raise OperationError(Problem.KEPT_DAMAGED, reasons=[why.words() for why in wrong])


def resume(ct: Ct) -> None:
    restore(ct, saved.dump(ct.paths))


def stands(ct: Ct) -> bool:
    """Whether it is mounted, with all that its processes need."""
    return stand(ct, saved.dump(ct.paths))


def drop(ct: Ct) -> None:
    """It is not suspended any more at once; what can't be removed goes with the next dump."""
    kept, old = saved.dump(ct.paths), saved.new_dump(ct.paths)
    if kept.path.exists():
        saved.remove(old, ct.storage)
        kept.path.rename(old.path)
        sync(ct.paths.private)
    saved.remove(old, ct.storage)


def suspended(ct: Ct) -> bool:
    return saved.dump(ct.paths).path.is_dir()


def check_discard(ct: Ct) -> None:
    """params: discard, the kept processes may go."""
    if suspended(ct) and not ct.params.get("discard"):
        raise Refused(Problem.SUSPENDED)


DISCARD = Step("discard-dump", "remove what was dumped", do=discard, when=may_go)
BEGIN = Step("begin-dump", "make room for its processes", do=begin, undo=(DISCARD,))
REVIVE = Step("revive-dump", "bring its processes back", do=live_again, leaves=State.RUNNING,
              when=revivable_yet)  # fmt: skip
STAY = Step("stay-suspended", "leave it suspended", do=stay_suspended, leaves=State.SUSPENDED,
            when=homeless_yet, regardless=True)  # fmt: skip
DUMP = Step("dump", "save its processes and end them", do=keep, undo=(REVIVE, STAY),
            unbroken=True)  # fmt: skip
SEAL = Step("seal-dump", "compute the checksums of all files", do=seal)
SETTLE = Step(
    "settle-dump", "keep the saved processes until it is resumed", do=settle, commits=True
)
CHECK = Step("check-dump", "verify the saved processes", do=check)
RESUME = RESTORE.but(
    key="resume", do=resume, undo=(DELETE, *UMOUNT_SCRIPTS, DISMOUNT, *POSTUMOUNT_SCRIPTS)
)
DROP = Step("drop-dump", "remove what was dumped", do=drop, commits=True, ignore_failure=True)
CHECK_DISCARD = Step("check-suspended", "check whether it is suspended", do=check_discard)
THROW_AWAY = Step("throw-away-dump", "delete the saved processes", do=drop, when=suspended)
