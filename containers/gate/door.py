"""The door that every request and websocket comes through."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings

from containers.bucket import Buckets
from containers.gate import deadline
from containers.gate.deadline import ADVICE, LATE
from containers.gate.line import Full, Line
from containers.gate.reply import Reply
from containers.gate.visitor import Visitor, cookie
from containers.tally import Tally, shared

logger = logging.getLogger(__name__)
GRACE = 1.0  # seconds after a request's time, in which Django itself may say so
TOO_MANY = 4429  # a websocket's close code
QUICKLY = "Too many requests."
LATER = "Nothing was done. Wait a few seconds, then load the page again."

buckets = Buckets()
late: set[asyncio.Future[Any]] = set()  # what goes on though it was answered


class Door:
    """Lets in as many requests as a visitor may send, and answers those that take too long."""

    def __init__(
        self, application: Any, *, counts: Buckets = buckets, tally: Tally = shared
    ) -> None:
        self.application, self.counts, self.tally = application, counts, tally
        self.line = Line()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if exempt(scope):
            await self.application(scope, receive, send)
            return
        if "\0" in cookie(scope):  # no session is called that, and no database takes it
            await refuse(scope, receive, send)
            return
        visitor = Visitor.of(scope)
        wait = max((self.counts.take(*each) for each in visitor.limits), default=0.0)
        # A flood that this process knows of costs Redis nothing.
        wait = wait or await self.tally.wait(visitor.limits)
        if scope["type"] == "websocket":
            if wait:
                await receive()
                await send({"type": "websocket.close", "code": TOO_MANY})
            else:
                await self.application(scope, receive, send)
        elif wait:
            await Reply(send).instead(429, QUICKLY, LATER, wait)
        else:
            await self.serve(visitor, scope, receive, Reply(send))

    async def serve(
        self, visitor: Visitor, scope: dict[str, Any], receive: Any, reply: Reply
    ) -> None:
        try:
            await self.line.turn(visitor.key, visitor.at_once)
        except Full:
            await reply.instead(429, QUICKLY, LATER, 1)
            return
        deadline.begin()
        task = asyncio.ensure_future(self.application(scope, receive, reply.send))
        begun = asyncio.ensure_future(reply.begun.wait())
        try:
            in_time = await first_of(task, begun)
        except asyncio.CancelledError:
            task.add_done_callback(lambda _: self.line.leave(visitor.key))
            task.cancel()
            raise
        finally:
            begun.cancel()
        if in_time:
            self.line.leave(visitor.key)
            await task
            return
        # Its thread can't be stopped, and keeps its place in the line until it ends by itself.
        late.add(task)
        task.add_done_callback(lambda task: self.gone(visitor.key, scope["path"], task))
        await reply.instead(503, LATE, ADVICE)

    def gone(self, key: str, path: str, task: asyncio.Future[Any]) -> None:
        late.discard(task)
        self.line.leave(key)
        if not task.cancelled() and (error := task.exception()):
            logger.warning("%s took too long, and failed: %s", path[:200], error)


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4400})
    else:
        await Reply(send).instead(400, "That request could not be understood.", "Go back.")


async def first_of(*tasks: asyncio.Future[Any]) -> bool:
    timeout = settings.REQUEST_SECONDS + GRACE if settings.REQUEST_SECONDS else None
    done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def exempt(scope: dict[str, Any]) -> bool:
    path = scope.get("path", "")
    return scope["type"] == "http" and (
        path in ("/health", "/favicon.ico") or path.startswith(settings.STATIC_URL)
    )
