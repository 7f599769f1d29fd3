"""Requests of one visitor stand in line: so many are worked on at once, others wait their turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

LONGEST = 30  # requests that wait


class Full(Exception):
    """The line is as long as it may be."""


@dataclass
class Counter:
    """Where one visitor's requests are served."""

    busy: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Line:
    def __init__(self) -> None:
        self.counters: dict[str, Counter] = {}

    async def turn(self, key: str, at_once: int) -> None:
        """Return once it is this request's turn, to be ended with leave(). Raises Full."""
        counter = self.counters.setdefault(key, Counter())
        if counter.busy < at_once:
            counter.busy += 1
            return
        if len(counter.waiting) >= LONGEST:
            raise Full
        called = asyncio.get_running_loop().create_future()
        counter.waiting.append(called)
        try:
            await called  # whoever leaves hands its place over
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self.leave(key)
            elif called in counter.waiting:
                counter.waiting.remove(called)
            raise

    def leave(self, key: str) -> None:
        counter = self.counters[key]
        while counter.waiting:
            called = counter.waiting.pop(0)
            if not called.done():
                called.set_result(None)
                return
        counter.busy -= 1
        if not counter.busy:
            del self.counters[key]
