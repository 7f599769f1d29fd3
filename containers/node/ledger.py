"""What this node has seen of the audit: a file that only root reads and writes, and only adds to.

<state>/ledger/audit    a JSON line for each row, in the order in which they were seen:
                        {n, seen, since or old, row, chain}; chain is a hash over the line and the
                        chain of the line before, so that none can be changed, left out or put
                        in between. since: when all rows there were had been seen
<state>/ledger/head     how many lines there are, the last one's chain, and where it ends: what
                        tells that the end was cut off

Rows are not seen in the order of their ids: a transaction may end after one that began later. An
id that is passed over is waited for as long as PATIENCE; a row that comes with it later is none
that the panel wrote.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem

PATIENCE = timedelta(minutes=10)
LEAP = 100_000  # ids that may be passed over at once; a row beyond does not take the others along
START = "0" * 64  # the chain of the line before the first

Row = Mapping[str, Any]  # as JSON can hold it; id is its key


@dataclass(frozen=True)
class Gap:
    """Ids that were passed over, and may still come. until: ISO 8601."""

    first: int
    last: int
    until: str

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def without(self, number: int) -> "list[Gap]":
        parts = (self.first, number - 1), (number + 1, self.last)
        return [Gap(first, last, self.until) for first, last in parts if first <= last]


@dataclass
class Head:
    """count: lines; size: bytes of them; top: all ids up to here were seen, but for the gaps.

    old: rows up to this id were there before the ledger; None until it has begun.
    odd: ids far beyond top that were seen. looked: when all there were had been, ISO 8601.
    """

    count: int = 0
    last: str = START
    size: int = 0
    top: int = 0
    old: int | None = None
    gaps: list[Gap] = field(default_factory=list)
    odd: list[int] = field(default_factory=list)
    looked: str = ""

    def take(self, number: int, seen: datetime) -> None:
        """A row with this id is in the ledger now."""
        if self.count <= 1:
            self.top = number
        elif number > max(self.top, self.old or 0) + LEAP:
            self.odd.append(number)
        elif number > self.top:
            if number > self.top + 1 and number > (self.old or 0):
                until = (seen + PATIENCE).isoformat()
                self.gaps.append(Gap(self.top + 1, number - 1, until))
            self.top = number
        else:
            self.gaps = [
                part
                for gap in self.gaps
                for part in (gap.without(number) if number in gap else [gap])
            ]

    def forget(self, at: datetime) -> None:
        """No longer wait for what has not come."""
        self.gaps = [gap for gap in self.gaps if gap.until > at.isoformat()]

    @classmethod
    def read(cls, path: Path) -> "Head":
        try:
            said = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        return cls(**{**said, "gaps": [Gap(**gap) for gap in said["gaps"]]})

    def write(self, path: Path) -> None:
        draft = path.with_name("head.new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        draft.replace(path)


@dataclass
class Ledger:
    """While it is open nobody else adds to it."""

    folder: Path
    file: BinaryIO
    head: Head

    def begin(self, old: int) -> None:
        """old: the highest id there is already; when those rows were written nobody has seen."""
        if self.head.old is None:
            self.head.old = old

    def add(self, rows: Sequence[Row], *, all_there_are: bool = True) -> None:
        """Kept once it returns."""
        seen = datetime.now(UTC)
        self.head.forget(seen)
        text = bytearray()
        for row in rows:
            line: dict[str, Any] = {"n": self.head.count + 1, "seen": seen.isoformat(), "row": row}
            if row["id"] <= (self.head.old or 0):
                line["old"] = True
            elif self.head.looked:
                line["since"] = self.head.looked
            line["chain"] = self.head.last = chain(self.head.last, line)
            text += canonical(line) + b"\n"
            self.head.count += 1
            self.head.take(row["id"], seen)
        self.file.seek(self.head.size)
        self.file.write(text)
        self.file.flush()
        if text:
            os.fsync(self.file.fileno())
        self.head.size += len(text)
        if all_there_are:
            self.head.looked = seen.isoformat()
        self.head.write(self.folder / "head")

    def catch_up(self) -> None:
        """Lines that the head does not know: whoever wrote them was ended before it wrote that.

        Raises OperationError if it is shorter than the head says.
        """
        end = self.file.seek(0, os.SEEK_END)
        if end < self.head.size:
            raise OperationError(Problem.LEDGER_CUT, path=self.folder / "audit")
        self.file.seek(self.head.size)
        for line in self.file:
            said = read_line(line)
            if said is None or chain(self.head.last, said) != said["chain"]:
                break
            self.head.count, self.head.last = self.head.count + 1, said["chain"]
            self.head.size += len(line)
            self.head.take(said["row"]["id"], datetime.fromisoformat(said["seen"]))
        self.file.truncate(self.head.size)  # half a line


@contextlib.contextmanager
def opened(conf: NodeConf) -> Iterator[Ledger]:
    """Raises OSError for whoever is not root, OperationError when its end is missing."""
    folder = conf.state / "ledger"
    folder.mkdir(mode=0o700, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(folder / "audit", flags, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ledger = Ledger(folder, file, Head.read(folder / "head"))
        ledger.catch_up()
        yield ledger


def lines(conf: NodeConf) -> Iterator[dict[str, Any] | None]:
    """Every line there is; None for one that nobody can read. Raises OSError."""
    with (conf.state / "ledger" / "audit").open("rb") as file:
        for line in file:
            yield read_line(line)


def head(conf: NodeConf) -> Head:
    return Head.read(conf.state / "ledger" / "head")


def read_line(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
        return said if line.endswith(b"\n") and {"n", "seen", "row", "chain"} <= {*said} else None
    except ValueError:
        return None


def chain(before: str, line: Mapping[str, Any]) -> str:
    """What binds a line to the one before it."""
    said = {key: value for key, value in line.items() if key != "chain"}
    return hashlib.sha256(before.encode() + canonical(said)).hexdigest()


def canonical(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
