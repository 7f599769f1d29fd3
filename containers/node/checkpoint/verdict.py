"""Whether a snapshot can be relied on: what is ok was looked at, and what was not is never ok."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from containers.node import observed, veconf
from containers.node.checkpoint import (
    cpu,
    criu,
    images,
    manifest,
    record,
    room,
    saved,
    scripted,
    version,
)
from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.record import Record
from containers.node.checkpoint.saved import Saved
from containers.node.conf import NodeConf
from containers.node.doubts import BY_TRIAL
from containers.node.errors import Doubts, OperationError
from containers.node.layout import Layout
from containers.node.network import taken
from containers.node.network.addresses import parse
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.storage import Storage, pool, space


class Answer(StrEnum):
    OK = "ok"
    CANT_TELL = "can't tell"
    BROKEN = "broken"  # or unknown, or impossible here


EXIT = {Answer.OK: 0, Answer.CANT_TELL: 1, Answer.BROKEN: 2}
WORSE = (Answer.OK, Answer.CANT_TELL, Answer.BROKEN)


@dataclass(frozen=True)
class Verdict:
    """reasons: the worst first; empty when it's ok."""

    answer: Answer
    reasons: tuple[Reason, ...] = ()

    @property
    def exit(self) -> int:
        return EXIT[self.answer]

    def tried(self) -> "Verdict":
        """The same, once its processes have lived in a copy."""
        left = tuple(why for why in self.reasons if why.fault not in BY_TRIAL)
        return Verdict(self.answer if left or not self.reasons else Answer.OK, left)

    def words(self) -> dict[str, object]:
        """As it travels to a row or is printed as JSON."""
        return {
            "verdict": self.answer,
            "exit": self.exit,
            "reasons": [why.told(staff=True) for why in self.reasons],
            "problems": [why.cause for why in self.reasons],
        }

    @classmethod
    def read(cls, words: Mapping[str, Any]) -> "Verdict":
        """A node of an older version gives plain reasons only."""
        told: list[str] = words["reasons"]
        causes = words.get("problems") or [{} for _ in told]
        pairs = zip(causes, told, strict=True)
        reasons = (Reason.read({**cause, "error": said}) for cause, said in pairs)
        return cls(Answer(words["verdict"]), tuple(reasons))


@dataclass(frozen=True)
class Found:
    answer: Answer
    reason: Reason


@dataclass(frozen=True)
class Look:
    """What the checks look at. owner: the container it was made of; paths: the one it is for."""

    owner: Layout
    paths: Layout
    saved: Saved
    record: Record
    storage: Storage
    processes: bool


def verify(
    conf: NodeConf,
    ctid: int,
    uuid: str,
    *,
    manifest: str | None = None,
    into: int | None = None,
    processes: bool = True,
) -> Verdict:
    """Look at all that a restore depends on; changes nothing and needs no lock.

    manifest: the hash of its manifest as the panel has it; without, nothing can be ok.
    into: the container it is to be restored to, when that is another. processes: False when only
    its disk is wanted.
    """
    owner = Layout(conf, ctid)
    try:
        found = list(look(owner, Layout(conf, into or ctid), uuid, manifest, processes))
    except OperationError as e:
        found = [Found(Answer.BROKEN, Reason.of(e))]
    found.sort(key=lambda each: -WORSE.index(each.answer))
    worst = found[0].answer if found else Answer.OK
    return Verdict(worst, tuple(each.reason for each in found))


def look(
    owner: Layout, paths: Layout, uuid: str, expected: str | None, processes: bool
) -> Iterator[Found]:
    whole = saved.published(owner, uuid)
    if not whole.path.is_dir():
        half = saved.draft(owner, uuid).path.is_dir()
        yield broken(Doubts.NOT_WHOLE if half else Doubts.NO_SUCH)
        return
    yield from (
        Found(Answer.BROKEN, why) for why in manifest.check(whole, expected, images=processes)
    )
    if expected is None:
        yield cant_tell(Doubts.UNRECORDED)
    known = record.read(whole)
    wanted = processes and (known.processes or whole.processes)
    at = Look(owner, paths, whole, known, pool.driver(owner.node), wanted)
    for check in (*OF_DISK, *(OF_PROCESSES if wanted else ())):
        yield from check(at)


def broken(doubt: Doubts, **details: object) -> Found:
    return Found(Answer.BROKEN, Reason.doubt(doubt, **details))


def cant_tell(doubt: Doubts, **details: object) -> Found:
    return Found(Answer.CANT_TELL, Reason.doubt(doubt, **details))


def format_known(at: Look) -> Iterator[Found]:
    if not version.accepts(at.record.version):
        yield broken(Doubts.OTHER_FORMAT, version=at.record.version, known=version.VERSION)
    if at.record.processes and not at.saved.processes:
        yield broken(Doubts.PROCESSES_MISSING)


def disk_as_kept(at: Look) -> Iterator[Found]:
    if not at.saved.fs.is_dir():
        yield broken(Doubts.DISK_MISSING)
        return
    if not at.record.disk:
        yield cant_tell(Doubts.PLAIN_COPY)
        return
    said = call(at.storage.identity(at.saved.fs))
    if at.storage.parse_identity(said) != at.record.disk:
        yield broken(Doubts.OTHER_DISK)


def room_for_it(at: Look) -> Iterator[Found]:
    free = space(at.paths.node.vz).free
    if free < room.SPARE:
        yield broken(Doubts.DISK_FULL, free=free)
    elif at.paths == at.owner and free < (needed := room.memory(at.paths) + room.SPARE):
        yield cant_tell(Doubts.SAFETY_SPACE, needed=needed, free=free)


def criu_able(at: Look) -> Iterator[Found]:
    try:
        here = criu.find(at.paths.node)
    except criu.Off as e:
        yield Found(Answer.BROKEN, Reason.of(e))
        return
    if criu.older(here.version, at.record.criu):
        yield broken(Doubts.OTHER_CRIU, made=at.record.criu, here=here.version)


def processor_able(at: Look) -> Iterator[Found]:
    for name in cpu.missing(at.record.caps, cpu.of_node()):
        yield broken(Doubts.NO_FEATURE, feature=name)


def same_machine(at: Look) -> Iterator[Found]:
    here = os.uname()
    if here.machine != at.record.arch:
        yield broken(Doubts.OTHER_MACHINE, made=at.record.arch, here=here.machine)
    elif criu.older(here.release, at.record.kernel):
        yield cant_tell(Doubts.OLDER_KERNEL, made=at.record.kernel)


def addresses_there(at: Look) -> Iterator[Found]:
    own = veconf.read(at.paths.ve_conf).get("IP_ADDRESS", "").split()
    if at.paths != at.owner:
        return
    for address in at.record.addresses:
        if address not in own:
            yield cant_tell(Doubts.ADDRESS_GONE, address=address)
    for address in own:
        if why := taken.holder(at.paths.node, at.paths.ctid, parse(address)):
            yield broken(Doubts.ADDRESS_IN_USE, address=address, holder=why)


def mounts_there(at: Look) -> Iterator[Found]:
    """What scripts had mounted is looked for where it is mounted now."""
    scripts = mount_scripts(at.paths)
    for where in at.record.mounts:
        if not scripts:
            yield broken(Doubts.MOUNT_UNSCRIPTED, path=where)
        elif at.paths != at.owner:
            yield cant_tell(Doubts.MOUNT_DUE, path=where)
        elif observed.mounted(at.paths.root / where.lstrip("/")):
            continue
        elif observed.state_of(at.paths) in (State.RUNNING, State.PAUSED):
            yield broken(Doubts.MOUNT_ABSENT, path=where)  # its scripts have run, and would again
        else:
            yield cant_tell(Doubts.NOT_MOUNTED, path=where)


def mount_scripts(paths: Layout) -> list[Path]:
    """Those that there are. A clone's are the node's: it gets none of its source's own."""
    places = ((paths.scripts, "mount"), (paths.scripts, "premount"),
              (paths.node.scripts, "vps.mount"), (paths.node.scripts, "vps.premount"))  # fmt: skip
    return [place / name for place, name in places if (place / name).exists()]


def mounts_same(at: Look) -> Iterator[Found]:
    """What is mounted now is compared with what was, and the node's files that processes used."""
    told = scripted.read(at.saved)
    if told is None:
        for where in at.record.mounts:
            yield cant_tell(Doubts.MOUNT_UNKNOWN, path=where)
        return
    if at.paths != at.owner:
        return  # nothing of another is mounted yet
    for why in (*scripted.unfit(at.paths.root, told), *scripted.other_files(at.paths.root, told)):
        certain = why.fault not in scripted.UNCERTAIN
        yield Found(Answer.BROKEN if certain else Answer.CANT_TELL, why)


def mounts_within(at: Look) -> Iterator[Found]:
    """Those that the container's root had made, where CRIU keeps what it can't make again."""
    for where in images.overlays(at.saved.images):
        yield broken(Doubts.OVERLAY, path=where)


def devices_there(at: Look) -> Iterator[Found]:
    for device in at.record.devices:
        if not os.path.exists(device):
            yield broken(Doubts.NO_DEVICE, device=device)


def memory_for_it(at: Look) -> Iterator[Found]:
    if (free := room.available()) < at.record.memory:
        yield broken(Doubts.MEMORY, needed=at.record.memory, free=free)


def init_known(at: Look) -> Iterator[Found]:
    if at.record.init == "systemd":
        yield cant_tell(Doubts.SYSTEMD)


Check = Callable[[Look], Iterator[Found]]
OF_DISK: Sequence[Check] = (format_known, disk_as_kept, room_for_it)
OF_PROCESSES: Sequence[Check] = (
    criu_able,
    processor_able,
    same_machine,
    addresses_there,
    mounts_there,
    mounts_same,
    mounts_within,
    devices_there,
    memory_for_it,
    init_known,
)
