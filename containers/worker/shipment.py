"""One operation's spool on its way into rows: every byte once, in order, by one shipper only."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.db import transaction

from containers.models import LogChunk, Operation
from containers.node.actions import Where
from containers.node.bound import Bound, Cut
from containers.node.spool import Event, Spool
from containers.worker.journal import record
from containers.worker.step_rows import StepRows

CHUNK = 64 * 1024  # bytes of the log in a row
BATCH = 32 * CHUNK  # in a transaction
NO_STEP = -1
PAUSE = 0.04  # seconds between two readings of a log that keeps growing
TRIES = 3  # to read what its runner is about to cut away


class LeaseLost(Exception):
    """Somebody else ships this operation now."""


@dataclass
class Section:
    """Where in the log a step's output is. The panel's own lines lie between sections."""

    i: int
    begin: int
    end: int | None
    staff_only: bool


@dataclass
class Shipment:
    operation: Operation
    spool: Spool
    steps: StepRows
    sections: list[Section] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)  # read, and not rows yet
    position: int = 0  # in the journal, in bytes
    size: int = 0  # of the log, when last looked at
    next: float = 0.0  # when it may be read again
    over: bool = False

    @classmethod
    def of(cls, operation: Operation, spool: Spool) -> "Shipment":
        """Go on where the rows end."""
        steps = StepRows.of(operation)
        sections = [
            Section(s.number, s.offset, s.end_offset, s.where == Where.NODE)
            for s in steps.rows.values()
            if s.offset is not None
        ]
        return cls(operation, spool, steps, sorted(sections, key=lambda s: (s.begin, s.i)))

    def ship(self) -> bool:
        """Make rows of what is new. True when there is more already. Raises Outdone."""
        self.look()
        first, data = self.read_on()
        events = self.waiting
        if events and events[-1]["ev"] == "end" and first + len(data) < self.size:
            events = events[:-1]  # the end comes last
        if data or events:
            self.commit(first, data, events)
            self.next = time.monotonic() + PAUSE
        return self.operation.log_len < self.size or bool(self.waiting)

    def look(self) -> None:
        """See how much there is. In this order, for then the step of each byte is known."""
        self.size = self.log_size()
        news, self.position = self.spool.read_events(self.position)
        for event in news:
            if event["n"] >= self.operation.events_len:
                self.waiting.append(event)
                self.mark(event)
        if self.ending:
            self.size = self.log_size()

    @property
    def ending(self) -> bool:
        """Whether its runner has said how it ended: nothing is written any more."""
        return bool(self.waiting) and self.waiting[-1]["ev"] == "end"

    @property
    def untouched(self) -> bool:
        """Whether no runner has written anything to the journal yet."""
        return not self.operation.events_len and not self.waiting

    def log_size(self) -> int:
        try:
            return self.spool.log.stat().st_size
        except FileNotFoundError:
            return 0

    def mark(self, event: Event) -> None:
        if event["ev"] == "began":
            for section in self.sections:
                section.end = event["off"] if section.end is None else section.end
            staff_only = event["where"] == Where.NODE
            self.sections.append(Section(event["i"], event["off"], None, staff_only))
        elif event["ev"] == "aside":
            self.sections.append(Section(NO_STEP, event["off"], event["end"], True))
        elif event["ev"] == "ended":
            for section in self.sections:
                if section.i == event["i"]:
                    section.end = event["off"]

    @cached_property
    def bound(self) -> Bound:
        return self.spool.bound()

    def read_on(self) -> tuple[int, bytes]:
        """Where the rows go on, and the bytes from there; past the cut, if that has begun."""
        for _ in range(TRIES):
            cut = self.spool.cut()
            first = cut.behind(self.operation.log_len)
            last = cut.begin if cut and first < cut.begin else self.size
            data = self.read(first, min(last - first, BATCH))
            if not self.spool.cut().touches(first, first + max(1, len(data))):
                return first, data
        return self.operation.log_len, b""

    def read(self, offset: int, length: int) -> bytes:
        if length <= 0:
            return b""
        with self.spool.log.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, offset)

    def commit(self, first: int, data: bytes, events: list[Event]) -> None:
        operation = self.operation
        before, log_len = operation.log_len, first + len(data)
        events_len = events[-1]["n"] + 1 if events else operation.events_len
        mine = Operation.objects.filter(
            pk=operation.pk, fence=operation.fence, log_len=before, events_len=operation.events_len
        )
        with transaction.atomic():
            if not mine.update(log_len=log_len, events_len=events_len):
                raise LeaseLost
            LogChunk.objects.bulk_create(self.chunks(first, data))
            cut = self.cut(before, first, log_len)
            record(self.steps, events)
        operation.log_len, operation.events_len = log_len, events_len
        operation.cut_begin, operation.cut_end = cut.begin, cut.end
        self.waiting = self.waiting[len(events) :]
        self.over = bool(events) and events[-1]["ev"] == "end"

    def cut(self, before: int, first: int, log_len: int) -> Cut:
        """Delete the rows of what is too much; as rows end, so does the cut."""
        operation, bound = self.operation, self.bound
        cut = bound.cut(log_len, operation.cut)
        if cut == operation.cut and first == before:
            return cut
        chunks = LogChunk.objects.filter(operation=operation, offset__gte=bound.head)
        later = chunks.filter(offset__gte=max(first if first > before else 0, cut.end))
        end = later.order_by("offset").values_list("offset", flat=True).first()
        cut = Cut(bound.head, log_len if end is None else end)
        chunks.filter(offset__lt=cut.end).delete()
        rows = Operation.objects.filter(pk=operation.pk)
        rows.update(cut_begin=cut.begin, cut_end=cut.end)
        return cut

    def catch_up(self) -> bool:
        """After a commit nobody knows the outcome of: go on where the rows are. False: Outdone."""
        row = Operation.objects.filter(pk=self.operation.pk, fence=self.operation.fence).first()
        if row is None:
            return False
        self.operation.log_len, self.operation.events_len = row.log_len, row.events_len
        self.operation.cut_begin, self.operation.cut_end = row.cut_begin, row.cut_end
        self.steps = StepRows.of(self.operation)
        self.waiting = [event for event in self.waiting if event["n"] >= row.events_len]
        self.over = row.done
        return True

    def chunks(self, first: int, data: bytes) -> list[LogChunk]:
        return [
            LogChunk(
                operation=self.operation,
                offset=begin,
                data=data[begin - first : end - first],
                staff_only=staff_only,
            )
            for begin, end, staff_only in self.pieces(first, first + len(data))
        ]

    def pieces(self, begin: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Cut a range of the log where steps begin and end, and to the size of a chunk."""
        while begin < end:
            cut, staff_only = min(end, begin + CHUNK), False
            if begin < self.bound.head:
                cut = min(cut, self.bound.head)
            for section in reversed(self.sections):
                if section.end is not None and section.end <= begin:
                    break
                if section.begin <= begin:
                    staff_only = section.staff_only
                    cut = min(cut, section.end or cut)
                    break
                cut = min(cut, section.begin)
            yield begin, cut, staff_only
            begin = cut

    def discard(self) -> None:
        """Delete the spool of what has been shipped whole."""
        with contextlib.suppress(FileNotFoundError):
            for path in self.spool.path.iterdir():
                path.unlink()
            self.spool.path.rmdir()
