"""A browser's end of a websocket."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from channels.testing import WebsocketCommunicator
from django.test import Client

from panel.asgi import application


class Browser(WebsocketCommunicator):
    """A browser that watches a log, showing all that it gets at once unless it is slow."""

    def __init__(
        self,
        client: Client,
        path: str,
        *,
        slow: bool = False,
        origin: bytes = b"http://localhost:8000",
        host: bytes = b"localhost:8000",
    ) -> None:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers = [(b"origin", origin), (b"host", host), (b"cookie", cookie.encode())]
        super().__init__(application, path, [h for h in headers if h[1]])
        self.slow = slow
        self.shown: dict[int, bytes] = {}
        self.said: list[dict[str, Any]] = []
        self.code: int | None = None

    async def read(self, until: str = "") -> None:
        """Take a message, or all of them up to one of this type or to the end."""
        while True:
            message = await self.receive_output(10)
            if message["type"] == "websocket.close":
                self.code = message["code"]
                return
            if data := message.get("bytes"):
                offset = int.from_bytes(data[1:9], "big")
                assert offset not in self.shown
                self.shown[offset] = data[9:]
                if not self.slow:
                    await self.ack(offset + len(data) - 9)
            else:
                self.said.append(json.loads(message["text"]))
                if self.said[-1]["type"] == until:
                    return
            if not until:
                return

    async def ack(self, offset: int) -> None:
        await self.send_to(text_data=json.dumps({"ack": offset}))

    @property
    def text(self) -> bytes:
        return b"".join(self.shown[offset] for offset in sorted(self.shown))


Browse = Callable[..., Awaitable[Browser]]  # the fixture's: with a client, for a path
