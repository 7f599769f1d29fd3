"""Dumping a running container's processes: how it is paused, dumped, let go or revived.

CRIU is never ended half way: processes that it holds would not survive that.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from containers.node import lxcfs, observed, veconf
from containers.node.checkpoint import (
    contents,
    criu,
    culprit,
    manifest,
    ownfigures,
    room,
    scripted,
    stopped,
)
from containers.node.checkpoint.connections import connected
from containers.node.checkpoint.obstacles import members, obstacles
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
KEY = "DUMP_PATIENCE"  # of vz.conf: seconds without progress that a container stands still at most
PATIENCE = 5.0
SECONDS = re.compile(r"\d{1,4}(\.\d+)?")
DUMPING = "Dumping task (pid"  # in its log from when on it has a hand in the processes


class CannotDump(OperationError):
    """The container goes on running."""


class Stalled(CannotDump):
    """It stood still too long."""


class WantsLinks(CannotDump):
    """A file that is open has lost its name, and has others: a link has to be made for it."""


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


def dump(ct: Ct, into: Saved, *, leave_running: bool, script: Path | None = None) -> None:
    """leave_running: they were paused before. A cancel is obeyed once that is done.

    script: for CRIU to run before they go on; it also makes the links that want one. Raises
    WantsLinks where it would have to, and there is no script.
    """
    own = criu.find(ct.paths.node)
    work = work_of(ct)
    log = work / "dump.log"
    init = observed.init_of(ct.paths)
    patience = patience_of(ct)
    continue_stopped(ct)
    criu.write_options(
        work / "options",
        links=script is not None or not leave_running,
        script=script,
        connected=not leave_running or init is None or connected(init.pid),
        mounts={where: where for where in lxcfs.PLACES},
        patience=patience,
    )
    make_images(ct, into)
    below = scripted.in_use(ct.paths.root, init.pid, members(init.pid)) if init else None
    if groups := own_groups(ct):  # as late as can be: processes watch files in them
        into.groups.write_text("".join(f"{group}\n" for group in groups))
    argv = ct.runtime.checkpoint(
        ct.paths,
        criu.environment(own, work / "options"),
        into.images,
        work,
        leave_running=leave_running,
    )
    progress = Progress(log, into, patience)
    try:
        with umask(0o027):
            call(argv, timeout=criu.time_limit(room.memory(ct.paths)), watch=progress.look)
    except Stalled:
        settle(ct, SETTLING if DUMPING in criu.text_of(log) else 0)
        raise
    except CommandFailed as e:
        settle(ct)
        if script is None and leave_running and criu.wants_links(log):
            raise WantsLinks(Problem.DUMP_COMMAND_FAILED, cause=e.cause) from e
        raise not_dumped(ct, e, log) from e
    stopped.mark(into.images, note_of(ct))
    ownfigures.forget_sizes(into.images, lxcfs.PLACES)
    if below is not None:
        contents.keep(ct.paths.root, into, below)
    if not leave_running:
        ended(ct).touch()
        manifest.hasten(into)  # else it would slow the copy of the disk down
    ct.executor.obey()


def continue_stopped(ct: Ct) -> None:
    """Once they are frozen. thaw, and a restore, stop them again."""
    if stopped.found(ct.paths):
        if not observed.paused(ct.paths):
            pause(ct)
        stopped.resume(stopped.found(ct.paths), note_of(ct))


def note_of(ct: Ct) -> Path:
    return work_of(ct) / "stopped"


def patience_of(ct: Ct) -> float:
    """Seconds; vz.conf's, if that says how many."""
    said = veconf.read(ct.paths.node.vz_conf).get(KEY, "")
    return max(1.0, float(said)) if SECONDS.fullmatch(said) else PATIENCE


class Progress:
    """Whether CRIU gets on: its log grows, or its images, or it waits for a copy of the disk."""

    def __init__(self, log: Path, into: Saved, patience: float) -> None:
        self.log, self.into, self.patience = log, into, patience
        self.seen, self.since = -1, time.monotonic()

    def look(self) -> None:
        """Raises Stalled."""
        files = (*self.into.images.iterdir(), *self.log.parent.glob(self.log.name))
        size = sum(path.stat().st_size for path in files)
        if size != self.seen or self.into.fs.exists():
            self.seen, self.since = size, time.monotonic()
        elif time.monotonic() - self.since >= self.patience:
            raise Stalled(Problem.DUMP_STALLED, seconds=self.patience)


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
    init = observed.init_of(ct.paths)
    if init and (reason := culprit.of(log, init.pid)):
        return CannotDump(Problem.NOT_DUMPABLE, reasons=[reason.words()])
    if why:
        who = culprit.process(log)
        return CannotDump(Problem.DUMP_FAILED, why=f"{why} ({who})" if who else why)
    return CannotDump(Problem.DUMP_COMMAND_FAILED, cause=error.cause)


def settle(ct: Ct, patience: float = SETTLING) -> None:
    """Wait for a dump that nobody waits for any more: CRIU lets the processes go when it ends.

    patience: 0 while it only halts them, for the kernel lets them go when it is killed.
    """
    home = ct.executor.runner_cgroup
    groups = [*ct.left, *([home.group] if home else [])]
    deadline = time.monotonic() + patience
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
    stopped.stop(note_of(ct))
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
