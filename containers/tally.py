"""Counts that all web processes share: in Redis, whose scripts count in one go.

They are for limits only. While Redis is away nothing is known, and each process counts for itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
WITHIN = 0.25  # seconds that a count may take
AWAY = 5.0  # seconds for which Redis is not asked again after it has failed
CONNECTIONS = 8
PLACE = 90  # seconds after which a place that nobody has renewed is free

# Buckets of tokens, as in bucket.py. KEYS: theirs; ARGV: for each its rate, and how many it holds.
# Returns the seconds until each has a token again.
TAKE = """
local time = redis.call('TIME')
local now, wait = tonumber(time[1]) + tonumber(time[2]) / 1000000, 0
for i, key in ipairs(KEYS) do
  local rate, size = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = tonumber(kept[1] or size) + (now - tonumber(kept[2] or now)) * rate
  tokens = math.min(size, tokens)
  if tokens < 1 then
    wait = math.max(wait, (1 - tokens) / rate)
  else
    tokens = tokens - 1
  end
  redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil(size / rate * 1000) + 1000)
end
return string.format('%.6f', wait)
"""
# A place among so many. KEYS: of all; ARGV: whose it is, how many there are, and for how long.
# Returns 1 for whoever has it.
STAY = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
   and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Tally:
    """url: of Redis; by default that of the settings."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.away = 0.0  # until then, of time.monotonic()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.redis: Redis | None = None

    async def wait(self, limits: Sequence[tuple[str, float, float]]) -> float:
        """Take a token of each bucket (key, tokens a second, how many it holds); the seconds
        until there is one, 0 when there was or nothing is known."""
        limited = [each for each in limits if each[1]]
        if not limited:
            return 0.0
        keys = [named("bucket", key) for key, _, _ in limited]
        args = [number for _, rate, size in limited for number in (rate, size)]
        said = await self.ask(lambda redis: redis.register_script(TAKE)(keys, args))
        return float(said or 0)

    async def stay(self, place: str, who: str, most: int) -> bool:
        """Have a place among most, for PLACE seconds; called again, for as long again."""
        keys = [named("place", place)]
        args: list[str | int] = [who, most, PLACE]
        said = await self.ask(lambda redis: redis.register_script(STAY)(keys, args))
        return said is None or bool(said)

    async def leave(self, place: str, who: str) -> None:
        await self.ask(lambda redis: redis.zrem(named("place", place), who))

    async def ask(self, what: Callable[[Redis], Awaitable[Any]]) -> Any:
        """What Redis says; None while it is away."""
        if time.monotonic() < self.away:
            return None
        try:
            return await asyncio.wait_for(what(self.connection()), 2 * WITHIN)
        except (RedisError, OSError, TimeoutError) as error:
            self.away = time.monotonic() + AWAY
            logger.warning("Limits are counted by this process alone for now: %s", error)
            return None

    def connection(self) -> Redis:
        """Connections belong to the loop that has made them."""
        loop = asyncio.get_running_loop()
        if self.redis is None or self.loop is not loop:
            pool = BlockingConnectionPool.from_url(
                self.url or settings.REDIS_URL,
                max_connections=CONNECTIONS,
                timeout=WITHIN,
                socket_timeout=WITHIN,
                socket_connect_timeout=WITHIN,
                retry=Retry(NoBackoff(), 0),
            )
            self.redis, self.loop = Redis(connection_pool=pool), loop
        return self.redis

    async def close(self) -> None:
        if self.redis:
            await self.redis.connection_pool.disconnect()
        self.redis = None


def named(what: str, key: str) -> str:
    return f"panel-{settings.SITE}:{what}:{key}"


shared = Tally()
