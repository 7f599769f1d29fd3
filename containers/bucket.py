"""Buckets of tokens: each request takes one, and they come back at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

MOST = 20_000  # buckets that are remembered; the one that was used least lately goes first


@dataclass
class Bucket:
    tokens: float
    at: float

    def fill(self, rate: float, size: float) -> None:
        now = time.monotonic()
        self.tokens = min(size, self.tokens + (now - self.at) * rate)
        self.at = now


class Buckets:
    """One for each key, in this process; tally.py has those of all web processes together."""

    def __init__(self) -> None:
        self.known: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, rate: float, size: float) -> float:
        """Take a token; else the seconds until there is one. A rate of 0 sets no limit."""
        if not rate:
            return 0.0
        bucket = self.known.setdefault(key, Bucket(size, time.monotonic()))
        self.known.move_to_end(key)
        if len(self.known) > MOST:
            self.known.popitem(last=False)
        bucket.fill(rate, size)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate
        bucket.tokens -= 1
        return 0.0
