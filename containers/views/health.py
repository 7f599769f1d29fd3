"""Whether the panel answers and can use its database: for whoever watches it from outside.

Anybody may ask, as often as they like: the database is looked at once a second at most.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from containers import outage
from containers.outage import Outage

FRESH = 1.0  # seconds that an answer is good for
PATIENCE = 1000  # ms that a lock of SQLite's may be held by somebody else
LEAST = 1 << 20  # bytes free where SQLite writes


@dataclass
class Seen:
    """What this process saw last. looking: held by who looks; others take the last answer."""

    at: float = -FRESH
    found: Outage | None = None
    looking: Lock = field(default_factory=Lock)


seen = Seen()


@login_not_required
@require_safe
def show(request: HttpRequest) -> JsonResponse:
    """{ok: true}; or 503 with {ok: false, reason, error}: a word of outage.py and its sentence."""
    if time.monotonic() - seen.at >= FRESH and seen.looking.acquire(blocking=False):
        try:
            seen.found = look()
        except Error as error:
            seen.found = outage.of(error) or Outage.DAMAGED
        finally:
            seen.at = time.monotonic()
            seen.looking.release()
    if found := seen.found:
        return JsonResponse(found.said, status=503)
    return JsonResponse({"ok": True})


def look() -> Outage | None:
    """Whether it can be read, and written to. Raises Error."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            return None
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        if not connection.in_atomic_block:
            cursor.execute("BEGIN IMMEDIATE")  # the lock of a writer
            cursor.execute("ROLLBACK")
    return Outage.FULL if full(f"{connection.settings_dict['NAME']}") else None


def full(name: str) -> bool:
    folder = Path(name).parent
    if not folder.is_dir():  # in memory
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < LEAST
