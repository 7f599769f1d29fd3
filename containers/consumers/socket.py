"""A browser's websocket: who is let in, and with which code it is closed."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import Error

from containers import tally
from containers.bucket import Bucket
from containers.consumers import attendance
from containers.models import second_factor

Message = dict[str, Any]
LONGEST = 4096  # bytes of a browser's message
NESTED = 4  # brackets that one may open; ours open one
MOST = 50  # sockets that one person may have open
# What a browser may say, beside an answer to each thing that is sent to it
MESSAGES = (20.0, 100.0)  # a second, and at once
BYTES = (4096.0, 32768.0)
ANSWER = 64  # bytes of an answer


class Close(IntEnum):
    """Browsers only see these when the socket was accepted first."""

    NORMAL = 1000
    TOO_FAST = 4008  # it says more than there is to say
    BAD = 4400  # it sent something that isn't in the protocol
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    GONE = 4404  # or never there, or somebody else's
    TOO_MANY = 4429  # the same person has so many open already
    AWAY = 4503  # the database is; come again
    RESTART = 4012  # the server goes; come again


class Shut(Exception):
    """Close the socket with this code."""

    def __init__(self, code: int) -> None:
        self.code = code


class Socket:
    """One websocket. A subclass says who is let in, what is sent, and what is heard."""

    recheck = 30.0  # seconds

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.user = 0  # pk
        self.session = ""
        self.name = secrets.token_hex(8)  # tells it from other sockets
        self.doubted = asyncio.Event()  # somebody has seen that it may have to go
        self.unanswered = 0  # things sent to it, each of which it may answer
        self.messages = Bucket(MESSAGES[1], time.monotonic())
        self.bytes = Bucket(BYTES[1], time.monotonic())

    @classmethod
    def as_asgi(cls) -> Callable[[Message, Any, Any], Awaitable[None]]:
        async def application(scope: Message, receive: Any, send: Any) -> None:
            await cls(scope, receive, send).serve()

        return application

    def admit(self, user: User) -> None:
        """Raise Shut for somebody who may not see this. Called in a thread, now and then."""

    async def talk(self) -> None:
        """Send what there is to send, until there will be no more. Raises Shut."""
        raise NotImplementedError

    def hear(self, said: Message) -> None:
        """What the browser said."""

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})
        code: int = Close.NORMAL
        try:
            await database_sync_to_async(self.look)()
            async with self.counted():
                with attendance.counted(self):
                    await self.race(self.talk(), self.listen(), self.keep_checking())
        except Shut as shut:
            code = shut.code
        except Error:
            code = Close.AWAY
        except Left:
            return
        await self._send({"type": "websocket.close", "code": int(code)})

    async def race(self, *what: Awaitable[None]) -> None:
        """The first of them to end ends all."""
        tasks = [asyncio.ensure_future(each) for each in what]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def listen(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise Left
            text = message.get("text") or ""
            self.weigh(len(text.encode(errors="replace")) or len(message.get("bytes") or b""))
            try:
                self.hear(understood(text))
            except (ValueError, TypeError, LookupError, ArithmeticError) as error:
                raise Shut(Close.BAD) from error

    def weigh(self, size: int) -> None:
        """Take what a message costs. Raises Shut when there were too many, or too long ones."""
        if self.unanswered and size <= ANSWER:
            self.unanswered -= 1
            return
        self.messages.fill(*MESSAGES)
        self.bytes.fill(*BYTES)
        if self.messages.tokens < 1 or self.bytes.tokens < size:
            raise Shut(Close.TOO_FAST)
        self.messages.tokens -= 1
        self.bytes.tokens -= size

    async def keep_checking(self) -> None:
        """Whoever signs out, or loses a right, loses the socket, too."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.doubted.wait(), self.recheck)
            self.doubted.clear()
            await tally.shared.stay(self.place, self.name, MOST)
            with suppress(Error):  # nothing is read from one that is away, either
                await database_sync_to_async(self.look)()

    @property
    def place(self) -> str:
        return f"sockets of {self.user}"

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """By this process, and by all of them together."""
        if open_sockets[self.user] >= MOST:
            raise Shut(Close.TOO_MANY)
        open_sockets[self.user] += 1
        try:
            if not await tally.shared.stay(self.place, self.name, MOST):
                raise Shut(Close.TOO_MANY)
            try:
                yield
            finally:
                await tally.shared.leave(self.place, self.name)
        finally:
            open_sockets[self.user] -= 1

    def look(self) -> None:
        self.session = self.scope["session"].session_key or ""
        session = SessionStore(self.session or None)
        user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
        if not isinstance(user, User) or not user.is_active:
            raise Shut(Close.SIGNED_OUT)
        if second_factor.lacking(user, session):
            raise Shut(Close.SIGNED_OUT)
        self.user = user.pk
        self.admit(user)

    async def say(self, **what: Any) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(what)})

    async def send(self, data: bytes) -> None:
        self.unanswered += 1
        await self._send({"type": "websocket.send", "bytes": data})


open_sockets: Counter[int] = Counter()


def understood(text: str) -> Message:
    """Raises ValueError for what is no message of ours."""
    if len(text) > LONGEST or text.count("[") + text.count("{") > NESTED:
        raise ValueError
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError
    return said


class Left(Exception):
    """The browser is gone."""


async def nobody(scope: Message, receive: Any, send: Any) -> None:
    """There is nothing at this address."""
    await receive()
    await send({"type": "websocket.close", "code": int(Close.GONE)})
