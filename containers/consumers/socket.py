"""A browser's websocket: who is let in, and with which code it is closed."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError

Message = dict[str, Any]
LONGEST = 4096  # bytes of a browser's message
MOST = 100  # sockets that one person may have open in this process


class Close(IntEnum):
    """Browsers only see these when the socket was accepted first."""

    NORMAL = 1000
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
            with self.counted():
                await self.race(self.talk(), self.listen(), self.keep_checking())
        except Shut as shut:
            code = shut.code
        except DatabaseError:
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
            try:
                if len(text) > LONGEST or not isinstance(said := json.loads(text), dict):
                    raise ValueError
                self.hear(said)
            except (ValueError, TypeError, LookupError) as error:
                raise Shut(Close.BAD) from error

    async def keep_checking(self) -> None:
        """Whoever signs out, or loses a right, loses the socket, too."""
        while True:
            await asyncio.sleep(self.recheck)
            with suppress(DatabaseError):  # nothing is read from one that is away, either
                await database_sync_to_async(self.look)()

    @contextmanager
    def counted(self) -> Iterator[None]:
        if open_sockets[self.user] >= MOST:
            raise Shut(Close.TOO_MANY)
        open_sockets[self.user] += 1
        try:
            yield
        finally:
            open_sockets[self.user] -= 1

    def look(self) -> None:
        session = SessionStore(self.scope["session"].session_key)
        user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
        if not isinstance(user, User) or not user.is_active:
            raise Shut(Close.SIGNED_OUT)
        self.user = user.pk
        self.admit(user)

    async def say(self, **what: Any) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(what)})

    async def send(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})


open_sockets: Counter[int] = Counter()


class Left(Exception):
    """The browser is gone."""


async def nobody(scope: Message, receive: Any, send: Any) -> None:
    """There is nothing at this address."""
    await receive()
    await send({"type": "websocket.close", "code": int(Close.GONE)})
