"""Dumping a running container's processes: how it is paused, dumped, let go or revived.

CRIU is never ended half way: processes that it holds would not survive that.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from containers.node import observed
from containers.node.checkpoint import criu, manifest, room
from containers.node.checkpoint.connections import connected
from containers.node.checkpoint.obstacles import obstacles
from containers.node.checkpoint.room import SPARE
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.errors import CommandFailed, NoSpace, OperationError, Problem, TimedOut
from containers.node.processes.cgroup import mounted
from containers.node.processes.run import call
from containers.node.steps.restoring import alive, restore, work_of
from containers.node.storage import space
from containers.node.wording import uncapitalized

SETTLING = 30.0  # seconds that a CRIU whose runc is gone may take to let the processes go on
LOOKS = 0.02  # seconds between two looks


class CannotDump(OperationError):
    """The container goes on running."""


def check_processes(ct: Ct) -> None:
    check(ct, processes=True)


def check_room(ct: Ct) -> None:
    check(ct, processes=False)


def check(ct: Ct, *, processes: bool) -> None:
    """Raises what would make the dump fail, as far as that can be seen beforehand."""
    need = SPARE
    if processes:
        criu.find(ct.paths.node)
        init = observed.init_of(ct.paths)
        for obstacle in obstacles(init.pid) if init else ():
            if obstacle.fatal:
                raise CannotDump(Problem.NOT_DUMPABLE, reasons=[obstacle.reason.words()])
            ct.say(f"Warning: {uncapitalized(obstacle.reason.told(staff=True))}")
        need += room.memory(ct.paths)
    free = space(ct.paths.node.vz).free
    if free < need:
        raise NoSpace(Problem.TOO_LITTLE_SPACE, needed=need, free=free)


def dump(ct: Ct, into: Saved, *, leave_running: bool) -> None:
    """leave_running: they were paused before. A cancel is obeyed once that is done."""
    own = criu.find(ct.paths.node)
    work = work_of(ct)
    init = observed.init_of(ct.paths)
    criu.write_options(
        work / "options",
        stopping=not leave_running,
        connected=not leave_running or init is None or connected(init.pid),
    )
    make_images(ct, into)
    if groups := own_groups(ct):  # as late as can be: processes watch files in them
        into.groups.write_text("".join(f"{group}\n" for group in groups))
    argv = ct.runtime.checkpoint(
        ct.paths,
        criu.environment(own, work / "options"),
        into.images,
        work,
        leave_running=leave_running,
    )
    try:
        with umask(0o027):
            call(argv, timeout=criu.time_limit(room.memory(ct.paths)))
    except CommandFailed as e:
        settle(ct)
        raise not_dumped(ct, e, work / "dump.log") from e
    if not leave_running:
        ended(ct).touch()
        manifest.hasten(into)  # else it would slow the copy of the disk down
    ct.executor.obey()


def own_groups(ct: Ct) -> list[str]:
    """Those that the container made below its own in v2's hierarchy, where it is beside v1's:
    CRIU, that restores all others, knows nothing of it there."""
    places = mounted()
    if "cgroup2" not in places or "freezer" not in places:
        return []
    top = places["cgroup2"] / ct.paths.cgroup.lstrip("/")
    return sorted(f"{path.relative_to(top)}" for path in top.glob("**/") if path != top)


def make_images(ct: Ct, into: Saved) -> None:
    """Some of the images are read, by a restore, as the container's root: its group may.

    Nobody but the node's root reaches them, for the folder above is closed.
    """
    into.images.mkdir(exist_ok=True)
    os.chown(into.images, 0, ct.ids.base)
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
    ct.say(error.said or f"{error}")
    for line in criu.errors(log):
        ct.say(f"CRIU: {line}")
    if "disk is full" in why or space(ct.paths.node.vz).free < SPARE:
        return NoSpace()
    if isinstance(error, TimedOut):
        return CannotDump(Problem.DUMP_TIME_LIMIT, seconds=error.seconds)
    if why:
        return CannotDump(Problem.DUMP_FAILED, why=why)
    return CannotDump(Problem.DUMP_COMMAND_FAILED, cause=error.cause)


def settle(ct: Ct) -> None:
    """Wait for a dump that nobody waits for any more: CRIU lets the processes go when it ends."""
    home = ct.executor.runner_cgroup
    groups = [*ct.left, *([home.group] if home else [])]
    deadline = time.monotonic() + SETTLING
    while any(group.others() for group in groups) and time.monotonic() < deadline:
        time.sleep(LOOKS)
    if home and home.group.others():
        home.end_others()
    for group in ct.left:
        group.kill()


def pause(ct: Ct) -> None:
    (work_of(ct) / "paused").touch()
    call(ct.runtime.pause(ct.paths))


def thaw(ct: Ct) -> None:
    """Let it go on, whoever has stopped it; says how long it stood still."""
    if ct.left:  # else nobody dumps any more: this runner has waited for its own
        settle(ct)
    if observed.paused(ct.paths):
        call(ct.runtime.resume(ct.paths))
    with contextlib.suppress(FileNotFoundError):
        since = (work_of(ct) / "paused").stat().st_mtime
        ct.fact("frozen", round(time.time() - since, 3))
        (work_of(ct) / "paused").unlink()


def revivable(ct: Ct, kept: Saved) -> bool:
    """Whether a dump has stopped the processes, or was to, and something can be done about it.

    Not after a reboot of the node: nothing is mounted then, and its processes were to end.
    """
    return alive(ct) or (kept.processes and observed.mounted(ct.paths.root))


def ended(ct: Ct) -> Path:
    """There while the processes that this operation has dumped live nowhere; not after a reboot,
    when nobody knows whether the dump is whole.
    """
    return ct.paths.bundle / f"dumped-{ct.operation}"


def homeless(ct: Ct, kept: Saved) -> bool:
    """Whether the processes that ran are nowhere but in the dump."""
    return kept.processes and ct.paths.bundle.is_dir() and (ended(ct).exists() or not alive(ct))


def revive(ct: Ct, kept: Saved) -> None:
    """Undo a dump that ended the processes; lets them go on where it did not come to that."""
    settle(ct)
    if alive(ct):
        thaw(ct)
    else:
        restore(ct, kept)
    ended(ct).unlink(missing_ok=True)
