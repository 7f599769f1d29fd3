"""One relay per followed operation in a web process; viewers are cursors that read from it.

A ring, or the clock, makes a relay read what is new, once for all its viewers. What it has read
last it keeps; a viewer further back reads from the rows. Nothing is queued per viewer.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import Error, connections

from containers import doorbell
from containers.models import LogChunk, Operation
from containers.models.failure import told
from containers.node.states import FINISHED

T = TypeVar("T")
PAUSE = 0.02  # seconds between two readings while it grows
TICK = 1.0  # seconds after which rows are read though no bell rang
KEPT = 1024 * 1024  # bytes that a relay keeps
AT_ONCE = 512 * 1024  # bytes read from rows in one go
AWAY = 1.0  # seconds before a database that is away is asked again


@dataclass(frozen=True)
class Piece:
    """Some bytes of the log, all for the same eyes."""

    offset: int
    data: bytes
    staff_only: bool

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    def since(self, offset: int) -> "Piece":
        cut = max(0, offset - self.offset)
        return Piece(self.offset + cut, self.data[cut:], self.staff_only) if cut else self


@dataclass(frozen=True)
class LogProgress:
    """How far an operation is."""

    state: str
    log_len: int
    code: int | None
    error: str
    problem: str
    details: dict[str, Any]

    def why(self, *, staff: bool) -> str:
        return told(self.problem, self.details, self.error, staff=staff)

    @property
    def done(self) -> bool:
        return self.state in FINISHED


@dataclass
class Relay:
    pk: int
    progress: LogProgress
    end: int  # as far as it has read
    pieces: deque[Piece] = field(default_factory=deque)
    viewers: int = 0
    running: asyncio.Task[None] | None = None
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    # Set, and replaced by a new one, at each change
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        """Whether the operation has ended, and its log was read to the end."""
        return self.progress.done and self.end >= self.progress.log_len

    @property
    def begin(self) -> int:
        return self.pieces[0].offset if self.pieces else self.end

    async def run(self) -> None:
        """Follow the operation to its end."""
        group = doorbell.operation_group(self.pk)
        hearing = asyncio.create_task(doorbell.hear(group, lambda ring: self.rung.set()))
        try:
            while not self.over:
                self.rung.clear()
                pause = await self.look()
                if pause == TICK:
                    # Not wait_for: Python 3.11's may lose a cancellation.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(TICK):
                            await self.rung.wait()
                else:
                    await asyncio.sleep(pause)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def look(self) -> float:
        """Read what is new; returns how long to wait before the next look, if no bell rings."""
        try:
            progress, news = await reading(lambda: look(self.pk, self.end))
        except Error:
            return AWAY
        if not news and progress == self.progress:
            return TICK
        self.progress = progress
        for piece in news:
            self.pieces.append(piece)
            self.end = piece.end
        while self.pieces and self.end - self.pieces[0].offset > KEPT:
            self.pieces.popleft()
        self.changed.set()
        self.changed = asyncio.Event()
        return PAUSE

    async def since(self, offset: int) -> list[Piece]:
        """What comes at an offset and behind it, as far as it is at hand; empty at the end."""
        if offset >= self.end:
            return []
        if offset < self.begin:
            return await reading(lambda: pieces(self.pk, offset))
        return [piece.since(offset) for piece in self.pieces if piece.end > offset]


relays: dict[int, Relay] = {}
reader: ThreadPoolExecutor | None = None  # one thread that reads for everybody: one connection


@contextlib.asynccontextmanager
async def following(pk: int) -> AsyncIterator[Relay]:
    """The relay of an operation, shared with whoever else in this process follows it.

    Raises Operation.DoesNotExist, and Error of the database.
    """
    relay = relays.get(pk)
    if relay is None:
        progress = await reading(lambda: progress_of(pk))
        relay = relays.setdefault(pk, Relay(pk, progress, end=progress.log_len))
    if relay.running is None:
        relay.running = asyncio.create_task(relay.run())
    relay.viewers += 1
    try:
        yield relay
    finally:
        relay.viewers -= 1
        if not relay.viewers:
            relays.pop(pk, None)
            relay.running.cancel()
            await asyncio.gather(relay.running, return_exceptions=True)
            hang_up()


async def reading(read: Callable[[], T]) -> T:
    """Read rows in the reader's thread; a connection that failed is not used again."""
    global reader
    reader = reader or ThreadPoolExecutor(1, thread_name_prefix="loghub")

    def carefully() -> T:
        try:
            return read()
        except Error:
            connections.close_all()
            raise

    return await asyncio.get_running_loop().run_in_executor(reader, carefully)


def hang_up() -> None:
    """With the last viewer the connection goes, too."""
    global reader
    if reader and not relays:
        reader.submit(connections.close_all)
        reader.shutdown(wait=False)
        reader = None


def look(pk: int, offset: int) -> tuple[LogProgress, list[Piece]]:
    return progress_of(pk), pieces(pk, offset)


def progress_of(pk: int) -> LogProgress:
    values = Operation.objects.values_list(
        "state", "log_len", "code", "error", "problem", "details"
    )
    return LogProgress(*values.get(pk=pk))


def pieces(pk: int, offset: int) -> list[Piece]:
    """The log from an offset on, up to about AT_ONCE."""
    chunks = LogChunk.objects.filter(operation=pk)
    holding = chunks.filter(offset__lte=offset).order_by("-offset").first()
    begin = holding.offset if holding else 0
    found: list[Piece] = []
    size = 0
    for chunk in chunks.filter(offset__gte=begin).order_by("offset").iterator(chunk_size=8):
        piece = Piece(chunk.offset, bytes(chunk.data), chunk.staff_only)
        if piece.end > offset:
            found.append(piece.since(offset))
            size += len(found[-1].data)
        if size >= AT_ONCE:
            break
    return found
