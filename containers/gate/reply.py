"""What goes back to a browser: it is known when it begins, and can be answered in its place."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>{title}</h1><p>{advice}</p></body></html>
"""


class Reply:
    """Stands where an application sends to. begun: once it has sent a status."""

    def __init__(self, send: Callable[[dict[str, Any]], Any]) -> None:
        self._send = send
        self.begun = asyncio.Event()
        self.cut = False

    async def send(self, message: dict[str, Any]) -> None:
        if not self.cut:
            await self._send(message)
            self.begun.set()

    async def instead(self, status: int, title: str, advice: str, wait: float = 0) -> None:
        """Answer with a plain page, and let nothing through that comes later."""
        self.cut = True
        body = PAGE.format(title=title, advice=advice).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", f"{len(body)}".encode()),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
            (b"cache-control", b"no-store"),
        ]
        if wait:
            headers.append((b"retry-after", f"{math.ceil(wait)}".encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
