"""A browser with a page open: told what changed, so that it fetches those pieces again.

ws/news. To the browser: {type: news, …} with ctid, operation, node, templates, usage or inquiry,
what changed; {type: tick} now and then, when it had better look whether something was missed.
"""

import asyncio
import json
from typing import Any

from django.contrib.auth.models import User

from containers import doorbell
from containers.consumers.socket import Message, Socket

TICK = 25.0  # seconds
TICKS = {"type": "tick"}
GATHER = 0.1  # seconds in which the same news again is told once


class NewsConsumer(Socket):
    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self.staff = False
        self.news: dict[str, Message] = {}
        self.heard = asyncio.Event()

    def admit(self, user: User) -> None:
        self.staff = user.is_staff

    async def talk(self) -> None:
        await self.race(doorbell.hear(doorbell.EVERYTHING, self.note), self.tell(), self.tick())

    def note(self, ring: Message) -> None:
        if ring is doorbell.RING:
            self.news["tick"] = TICKS
        elif self.staff or ring["everybody"] or ring["owner"] == self.user:
            what = {"type": "news", **ring["what"]}
            self.news[json.dumps(what, sort_keys=True)] = what
        self.heard.set()

    async def tell(self) -> None:
        while True:
            await self.heard.wait()
            self.heard.clear()
            news, self.news = self.news, {}
            for what in news.values():
                await self.say(**what)
            await asyncio.sleep(GATHER)

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.note(doorbell.RING)
