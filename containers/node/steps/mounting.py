"""Steps that mount and dismount a private area."""

import contextlib

from containers.node import observed
from containers.node.bindmount import bind, unmount
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem
from containers.node.plan import Step
from containers.node.states import State
from containers.node.steps.owners import make_ready


def mount(ct: Ct) -> None:
    """Bound privately: what scripts mount below it is seen nowhere else."""
    if observed.mounted(ct.paths.root):
        return
    make_ready(ct)
    ct.paths.root.mkdir(parents=True, exist_ok=True)
    try:
        bind(ct.paths.fs, ct.paths.root)
    except OSError as e:
        raise OperationError(Problem.MOUNT_FAILED, path=ct.paths.fs, why=e.strerror) from e


def is_mounted(ct: Ct) -> bool:
    """As the machine has it, whatever its state is called."""
    return observed.mounted(ct.paths.root)


def dismount(ct: Ct) -> None:
    ct.dismounted = observed.mounted(ct.paths.root)
    left = [where for where, _ in observed.submounts(ct.paths.root)]
    for where in reversed(left):
        with contextlib.suppress(OSError):
            unmount(where, lazy=True)
    if left:
        warn(ct, left)
    while observed.mounted(ct.paths.root):
        try:
            unmount(f"{ct.paths.root}")
        except OSError as e:
            raise OperationError(Problem.UMOUNT_FAILED, path=ct.paths.root, why=e.strerror) from e


def warn(ct: Ct, left: list[str]) -> None:
    names = ", ".join(where.removeprefix(f"{ct.paths.root}") for where in left)
    ct.say(f"Warning: still mounted in the container, and detached now: {names}")
    ct.fact("detached", [where.removeprefix(f"{ct.paths.root}") for where in left])


DISMOUNT = Step(
    "dismount",
    "dismount its file system",
    do=dismount,
    leaves=State.STOPPED,
    commits=True,
)
MOUNT = Step(
    "mount",
    "mount its file system",
    do=mount,
    undo=(DISMOUNT,),
    leaves=State.MOUNTED,
)
