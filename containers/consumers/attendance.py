"""Whose sockets are open in this process, and who has to go: looked up for all of them at once.

Once a second two queries ask which sessions have ended and which people may no longer sign in,
however many sockets there are; a socket for which that holds looks for itself and closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import Error
from django.utils.timezone import now

OFTEN = 1.0  # seconds between two looks
LOT = 500  # keys in one query


class Attended(Protocol):
    """A socket. session, user: their keys; doubted: set when one of them may have ended."""

    session: str
    user: int
    doubted: asyncio.Event


present: set[Attended] = set()
rounds: set[asyncio.Task[None]] = set()  # the one that looks, while anybody is there


@contextmanager
def counted(socket: Attended) -> Iterator[None]:
    present.add(socket)
    if not rounds:
        rounds.add(asyncio.ensure_future(look_round()))
    try:
        yield
    finally:
        present.discard(socket)
        if not present:
            for task in rounds:
                task.cancel()
            rounds.clear()


async def look_round() -> None:
    while True:
        await asyncio.sleep(OFTEN)
        with suppress(Error):  # nothing is read from one that is away, either
            here = list(present)
            gone = await database_sync_to_async(ended)([(s.session, s.user) for s in here])
            for socket in here:
                if (socket.session, socket.user) in gone:
                    socket.doubted.set()


def ended(whose: list[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of these sessions, and their users, that are not good any more."""
    keys = sorted({key for key, _ in whose})
    users = sorted({user for _, user in whose})
    alive: set[str] = set()
    active: set[int] = set()
    for start in range(0, len(keys), LOT):
        found = Session.objects.filter(session_key__in=keys[start : start + LOT])
        alive |= set(found.filter(expire_date__gt=now()).values_list("session_key", flat=True))
    for start in range(0, len(users), LOT):
        people = User.objects.filter(pk__in=users[start : start + LOT], is_active=True)
        active |= set(people.values_list("pk", flat=True))
    return {each for each in whose if each[0] not in alive or each[1] not in active}
