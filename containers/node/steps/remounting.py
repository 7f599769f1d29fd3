"""What mount scripts have mounted, given to restored processes again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from containers.node import observed
from containers.node.checkpoint import contents, scripted
from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem
from containers.node.ids import Range
from containers.node.processes.run import call


class CannotRestore(OperationError):
    """The snapshot, or its processes, can't be brought back."""


def mount_again(ct: Ct, kept: Saved, was: Range) -> None:
    """See that what mount scripts have mounted is what it was, and holds what it held.

    was: the ids of then. Raises CannotRestore.
    """
    told = scripted.read(kept) or []
    for each in told:
        if not observed.mounted(Path(f"{ct.paths.root}{each.path}")):
            raise CannotRestore(Problem.MOUNT_MISSING, path=each.path)
    require(scripted.unfit(ct.paths.root, told))
    contents.fill(ct.paths.root, kept, was, ct.ids)
    require(why for why in scripted.other_files(ct.paths.root, told)
            if why.fault not in scripted.UNCERTAIN)  # fmt: skip


def require(wrong: Iterable[Reason]) -> None:
    if reasons := [why.words() for why in wrong]:
        raise CannotRestore(Problem.NOT_RESTORABLE, reasons=reasons)


def moved(ct: Ct, mount: dict[str, Any], work: Path) -> dict[str, Any]:
    """A mount script's mount, at this container's root; raises CannotRestore when it isn't there.

    Without it a restore fails, or shows the processes an empty folder.
    """
    if mount["type"] != "bind":
        return mount
    where = mount["destination"]
    source = Path(f"{ct.paths.root}{where}")
    if not observed.mounted(source):
        raise CannotRestore(Problem.MOUNT_MISSING, path=where)
    return {**mount, "source": f"{reachable(source, work)}"}


def reachable(source: Path, work: Path) -> Path:
    """The same mount where the container's root may go: CRIU opens it as that one."""
    place = work / "mounts"
    place.mkdir(mode=0o711, exist_ok=True)
    for folder in (place, place.parent):
        folder.chmod(0o711)
    at = place / f"{len(list(place.iterdir()))}"
    if source.is_dir():
        at.mkdir()
    else:
        at.touch()
    call(["mount", "--bind", "--make-private", f"{source}", f"{at}"])
    return at
