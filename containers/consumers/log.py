"""A browser that watches an operation's log: resumed by offset, and never sent more than it takes.

ws/operations/PK/log?from=N, N an offset in the log; -N: the last N bytes. To the browser:

    binary    a byte 1, the offset (8 bytes, big-endian), then bytes of the log
    {type: hello, from, end, state}     skip {from, to}: bytes it may not see
    {type: cut, from, to, mark}         bytes that are not kept any more, and a line that says so
    {type: state, state}                eof {len, state, code, error, problem}, then close 1000

From the browser: {ack: offset}, once it has shown everything up to there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from urllib.parse import parse_qs

from django.contrib.auth.models import User

from containers.consumers.socket import Close, Message, Shut, Socket
from containers.loghub import Piece, Relay, following
from containers.models import Operation
from containers.node.bound import Cut

WINDOW = 256 * 1024  # bytes sent and not yet acknowledged
FRAME = 64 * 1024
LOG = b"\x01"


class LogConsumer(Socket):
    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self.pk: int = scope["url_route"]["kwargs"]["pk"]
        self.sees_all = self.staff = False
        self.cursor = 0
        self.flying: deque[tuple[int, int]] = deque()  # (end, size) of frames not acknowledged
        self.in_flight = 0
        self.room = asyncio.Event()

    def admit(self, user: User) -> None:
        operation = Operation.objects.visible_to(user).filter(pk=self.pk).first()
        if operation is None:
            raise Shut(Close.GONE)
        if not user.has_perm("containers.view_log", operation):
            raise Shut(Close.FORBIDDEN)
        self.staff = user.is_staff
        self.sees_all = user.has_perm("containers.view_node_output", operation)

    async def talk(self) -> None:
        async with following(self.pk) as relay:
            state, end = relay.progress.state, relay.progress.log_len
            self.cursor = start(self.scope.get("query_string", b""), end)
            await self.say(type="hello", **{"from": self.cursor}, end=end, state=state)
            while True:
                changed = relay.changed
                if relay.progress.state != state:
                    state = relay.progress.state
                    await self.say(type="state", state=state)
                await self.send_news(relay)
                if relay.over and self.cursor >= relay.end:
                    break
                await changed.wait()
            last = relay.progress
        why = last.why(staff=self.staff)
        how = {"state": last.state, "code": last.code, "error": why, "problem": last.problem}
        await self.say(type="eof", len=last.log_len, **how)

    async def send_news(self, relay: Relay) -> None:
        while pieces := await relay.since(self.cursor):
            for hidden, run in groupby(
                pieces, lambda piece: piece.staff_only and not self.sees_all
            ):
                for piece in joined(run):
                    if piece.offset > self.cursor:
                        await self.leave_out(Cut(self.cursor, piece.offset))
                    await (self.skip(piece.end) if hidden else self.send_bytes(piece.data))

    async def leave_out(self, cut: Cut) -> None:
        await self.say(type="cut", **{"from": cut.begin}, to=cut.end, mark=cut.mark.decode())
        self.cursor = cut.end

    async def skip(self, end: int) -> None:
        await self.say(type="skip", **{"from": self.cursor}, to=end)
        self.cursor = end

    async def send_bytes(self, text: bytes) -> None:
        for begin in range(0, len(text), FRAME):
            data = text[begin : begin + FRAME]
            while self.in_flight and self.in_flight + len(data) > WINDOW:
                self.room.clear()
                await self.room.wait()
            await self.send(LOG + self.cursor.to_bytes(8, "big") + data)
            self.cursor += len(data)
            self.flying.append((self.cursor, len(data)))
            self.in_flight += len(data)

    def hear(self, said: Message) -> None:
        ack = int(said["ack"])
        while self.flying and self.flying[0][0] <= ack:
            self.in_flight -= self.flying.popleft()[1]
        self.room.set()


def joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """What follows on one another as one piece."""
    whole: list[Piece] = []
    for piece in pieces:
        if whole and whole[-1].end != piece.offset:
            yield as_one(whole)
            whole = []
        whole.append(piece)
    if whole:
        yield as_one(whole)


def as_one(pieces: list[Piece]) -> Piece:
    first = pieces[0]
    return Piece(first.offset, b"".join(piece.data for piece in pieces), first.staff_only)


def start(query: bytes, end: int) -> int:
    """Where to begin, as asked for in the address."""
    try:
        wanted = int(parse_qs(query.decode())["from"][0])
    except (KeyError, ValueError):
        wanted = 0
    return min(end, wanted if wanted >= 0 else max(0, end + wanted))
