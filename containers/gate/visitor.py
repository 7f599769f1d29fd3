"""Whom a request is counted for: somebody who has signed in, and the address it comes from."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, parse_cookie

from containers import visitors

MOST = 20_000  # sessions that are remembered
BURST = 10  # seconds' worth of requests that may come at once
AT_ONCE = {"customer": 3, "staff": 8, "address": 12}  # requests that are worked on

sessions: OrderedDict[str, tuple[int, bool]] = OrderedDict()  # digest: user, staff


@dataclass(frozen=True)
class Visitor:
    """user: pk of whoever this process has seen signed in with that cookie; else 0."""

    address: str
    user: int = 0
    staff: bool = False

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Visitor:
        client = scope.get("client")
        address = visitors.network(client[0]) if client else ""
        user, staff = sessions.get(digest(cookie(scope)), (0, False))
        return cls(address, user, staff)

    @property
    def role(self) -> str:
        return ("staff" if self.staff else "customer") if self.user else "address"

    @property
    def key(self) -> str:
        return f"user {self.user}" if self.user else self.address

    @property
    def limits(self) -> list[tuple[str, float, float]]:
        """The buckets that it takes from: key, tokens a second, and how many it holds."""
        found = []
        if self.user:
            found.append((self.key, settings.RATES[self.role]))
        if self.address and not self.staff:
            found.append((self.address, settings.RATES["address"]))
        return [(key, rate, rate * BURST) for key, rate in found]

    @property
    def at_once(self) -> int:
        return AT_ONCE[self.role]


def cookie(scope: dict[str, Any]) -> str:
    """The session's, read as Django reads it."""
    sent = [value for name, value in scope.get("headers", []) if name == b"cookie"]
    found = parse_cookie(b"; ".join(sent).decode("latin1"))
    return found.get(settings.SESSION_COOKIE_NAME, "")


def digest(session: str) -> str:
    return hashlib.sha256(session.encode(errors="replace")).hexdigest()


def remember(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware that notes whose session it was: only a cookie that Django took counts."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        with suppress(Error):  # nobody is known while the database is out; the page has said so
            note(request)
        return response

    return middleware


def note(request: HttpRequest) -> None:
    key = request.session.session_key
    if not key or not request.user.is_authenticated:
        return
    sessions[digest(key)] = (request.user.pk, request.user.is_staff)
    sessions.move_to_end(digest(key))
    if len(sessions) > MOST:
        sessions.popitem(last=False)
