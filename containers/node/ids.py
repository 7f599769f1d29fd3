"""The node's user and group ids that stand for those of containers: a range of its own for each.

The ranges come out of one block, which set-up reserves in /etc/subuid and /etc/subgid.

<state>/ids/BASE    a link that names the container which has the range from BASE on
<state>/ids/last    the one that was given last: the next is looked for after it, so that what may
                    still run of a container that is gone is nobody else's for a long time

On the disk are the ids that a container itself knows, from 0 on; areas of before, or of a kernel
that can't show ids as others, have them raised. Whose they are is known by an area's own owner:
a container's root can give that to others, but only to ids of the area's one range.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from containers.node import veconf
from containers.node.conf import NodeConf, load
from containers.node.errors import OperationError, Problem
from containers.node.lines import lines_of

BASE, SIZE = 200000, 65536  # where nobody has reserved them, and vz.conf says nothing
BLOCK = 1024 * SIZE  # ids of all containers together: at most, for it has to fit
SMALLEST = 16 * SIZE  # of which no block makes sense
FILES = (Path("/etc/subuid"), Path("/etc/subgid"))
OWNER = "root"  # whoever sets user namespaces up
HIGHEST = 2**32 - 2
AREAS = ("private/*/fs*", "snapshots/*/*/fs", "old/*/*/fs", "template/*/fs")


@dataclass(frozen=True)
class Range:
    """base: the first of the node's ids that stand for the container's 0, 1, 2, …"""

    base: int
    size: int = SIZE

    def __contains__(self, number: int) -> bool:
        return self.base <= number < self.base + self.size


def of(conf: NodeConf, ctid: int) -> Range:
    """The range that a container has; before its first one, the one that all once shared."""
    base = given(conf).get(ctid)
    return former(conf) if base is None else Range(base, size(conf))


def give(conf: NodeConf, ctid: int, wanted: int | None = None) -> Range:
    """See that a container has a range; for whoever holds it. wanted: if that is nobody's.

    Raises OperationError when none is left.
    """
    if ctid in (mine := given(conf)):
        return Range(mine[ctid], size(conf))
    taken = {*mine.values(), *carried(conf)}
    for base in candidates(conf, wanted):
        if base not in taken:
            with contextlib.suppress(FileExistsError):  # somebody was faster
                os.symlink(f"{ctid}", register(conf) / f"{base}")
                note_last(conf, base)
                return Range(base, size(conf))
    raise OperationError(Problem.NO_IDS_LEFT)


def take_back(conf: NodeConf, ctid: int) -> None:
    """Nothing of the container is left; that it has none is fine."""
    if (base := given(conf).get(ctid)) is not None:
        (register(conf) / f"{base}").unlink(missing_ok=True)


def on_disk(conf: NodeConf, area: Path) -> Range:
    """The ids that an area's files have on the disk. Raises OperationError where it's nobody's."""
    owner, many = area.lstat().st_uid, size(conf)
    for each in (Range(0, many), former(conf), whole(conf)):
        if owner in each:
            return Range(owner - (owner - each.base) % many, many)
    raise OperationError(Problem.AREA_OF_OTHERS, path=area, number=owner)


def former(conf: NodeConf) -> Range:
    """The one that all containers shared before each had its own."""
    return Range(int(settings(conf).get("UID_BASE") or BASE), size(conf))


def size(conf: NodeConf) -> int:
    return int(settings(conf).get("UID_SIZE") or SIZE)


def whole(conf: NodeConf) -> Range:
    """The block, as vz.conf has it."""
    values = settings(conf)
    base = int(values.get("UID_BLOCK_BASE") or values.get("UID_BASE") or BASE)
    return Range(base, int(values.get("UID_BLOCK_SIZE") or BLOCK))


def settings(conf: NodeConf) -> dict[str, str]:
    return veconf.read(conf.vz_conf)


def candidates(conf: NodeConf, wanted: int | None) -> Iterator[int]:
    block, many = whole(conf), size(conf)
    bases = range(block.base, block.base + block.size - many + 1, many)
    if wanted is not None and wanted in bases:
        yield wanted
    latest = last(conf)
    later = [base for base in bases if base > latest]
    yield from later
    yield from bases[: len(bases) - len(later)]


def given(conf: NodeConf) -> dict[int, int]:
    """The first id of each container that has a range."""
    folder = register(conf)
    found = {}
    for name in os.listdir(folder):
        if name.isdecimal():
            with contextlib.suppress(FileNotFoundError):  # taken back just now
                found[int(os.readlink(folder / name))] = int(name)
    return found


def carried(conf: NodeConf) -> set[int]:
    """The ranges that areas have on the disk, whosever they are."""
    found = set()
    for area in (path for pattern in AREAS for path in conf.vz.glob(pattern)):
        with contextlib.suppress(OSError, OperationError):
            found.add(on_disk(conf, area).base)
    return found


def register(conf: NodeConf) -> Path:
    folder = conf.state / "ids"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    return folder


def last(conf: NodeConf) -> int:
    try:
        return int((register(conf) / "last").read_text())
    except (OSError, ValueError):
        return -1


def note_last(conf: NodeConf, base: int) -> None:
    draft = register(conf) / ".last.new"
    draft.write_text(f"{base}")
    draft.replace(register(conf) / "last")


# The block is reserved by set-up


def chosen(conf: NodeConf) -> Range:
    """The block as vz.conf has it, or as it will be written there."""
    values = settings(conf)
    many = int(values.get("UID_BLOCK_SIZE") or BLOCK)
    if base := values.get("UID_BLOCK_BASE"):
        return Range(int(base), many)
    return free(many)


def free(many: int) -> Range:
    """The first block of that size that nobody has reserved; a smaller one where none fits.

    Raises OperationError when there is none at all.
    """
    while many >= SMALLEST:
        base = BASE
        for begin, count in sorted(ranges()):
            if begin < base + many and base < begin + count:
                base = -(-(begin + count) // SIZE) * SIZE
        if base + many <= HIGHEST:
            return Range(base, many)
        many //= 2
    raise OperationError(Problem.NO_IDS)


def reserved(block: Range) -> bool:
    return all(entry(block) in lines(file) for file in FILES)


def reserve(block: Range, note: Path | None = None) -> None:
    """note: where the lines are noted that were not there before.

    Raises OperationError when somebody else has some of it.
    """
    for begin, count in ranges(but=OWNER):
        if begin < block.base + block.size and block.base < begin + count:
            last = block.base + block.size - 1
            raise OperationError(Problem.IDS_OF_OTHERS, first=block.base, last=last, begin=begin)
    for file in FILES:
        if entry(block) not in lines(file):
            with file.open("a") as end:
                end.write(f"{entry(block)}\n")
            if note:
                note.parent.mkdir(0o700, parents=True, exist_ok=True)
                with note.open("a") as noted:
                    noted.write(f"{file} {entry(block)}\n")


def note_of(conf: NodeConf) -> Path:
    return register(conf) / "reserved"


def remove(conf: NodeConf) -> list[str]:
    """Take away the lines that were added here, when nothing on the disk carries their ids.

    For a pool that is mounted. Returns what was done, or why not.
    """
    added = [line.split(" ", 1) for line in lines(note_of(conf)) if " " in line]
    if not added:
        return []
    if raised := sorted(base for base in carried(conf) if base):
        return [f"the reserved ids stay: files in {conf.vz} belong to {raised[0]} and up"]
    for name, line in added:
        drop(Path(name), line)
    note_of(conf).unlink()
    return [f"the line {line} is removed from {name}" for name, line in added]


def drop(file: Path, line: str) -> None:
    """Take a line out of a file, which is there whole at any time."""
    kept = [each for each in lines_of(file) if each.strip() != line]
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(os.fsencode("".join(f"{each}\n" for each in kept)))
    shutil.copymode(file, new)
    new.replace(file)


def main(arguments: list[str]) -> None:
    act = {"--remove": remove}[arguments[0]]
    for sentence in act(load()):
        print(sentence)


def entry(block: Range) -> str:
    return f"{OWNER}:{block.base}:{block.size}"


def ranges(but: str = "") -> Iterator[tuple[int, int]]:
    """What is reserved: (first, count)."""
    for file in FILES:
        for line in lines(file):
            words = line.split(":")
            whole = len(words) == 3 and words[1].isdecimal() and words[2].isdecimal()
            if whole and words[0] != but:
                yield int(words[1]), int(words[2])


def lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in lines_of(file)]
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    main(sys.argv[1:])
