"""The browsers that somebody is signed in with: noted as they come, shown, and signed out."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from containers.models.user_session import UserSession
from containers.views.page import Request, record

OFTEN = 60.0  # seconds between two notes about a session
MOST = 20_000  # sessions that are remembered

noted: OrderedDict[tuple[str, str], float] = OrderedDict()


def keep(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware that notes when and from where a session was used last."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        with suppress(Error):
            note(request)
        return response

    return middleware


def note(request: HttpRequest) -> None:
    key = request.session.session_key
    if not key or not request.user.is_authenticated or not due(key, address_of(request)):
        return
    with transaction.atomic():
        UserSession.objects.update_or_create(
            session_key=key,
            defaults={
                "user_id": request.user.pk,
                "address": address_of(request) or None,
                "browser": request.headers.get("User-Agent", "")[:200],
                "seen": now(),
            },
        )


def address_of(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR") or ""


def due(key: str, address: str) -> bool:
    if time.monotonic() - noted.get((key, address), -OFTEN) < OFTEN:
        return False
    noted[key, address] = time.monotonic()
    noted.move_to_end((key, address))
    if len(noted) > MOST:
        noted.popitem(last=False)
    return True


@require_POST
def end(request: Request) -> HttpResponse:
    """POST session=NUMBER, or others=1 for all but this one."""
    mine = UserSession.of(request.user)
    if "others" in request.POST:
        count = UserSession.end_others(request.user, request.session.session_key)
        record(request, f"sign out everywhere else ({count})")
        messages.success(request, "You are signed out everywhere but here.")
    elif row := next((s for s in mine if f"{s.pk}" == request.POST.get("session")), None):
        row.end()
        record(request, f"sign out {row.device} at {row.address or 'an unknown address'}")
        messages.success(request, f"{row.device} is signed out.")
    return redirect("account")
