"""Whether the panel answers and can use its database: for whoever watches it from outside."""

import os
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from containers import outage
from containers.outage import Outage

PATIENCE = 1000  # ms that a lock of SQLite's may be held by somebody else
LEAST = 1 << 20  # bytes free where SQLite writes


@login_not_required
@require_safe
def show(request: HttpRequest) -> JsonResponse:
    """{ok: true}; or 503 with {ok: false, reason, error}: a word of outage.py and its sentence."""
    try:
        found = look()
    except Error as error:
        found = outage.of(error) or Outage.DAMAGED
    if found is None:
        return JsonResponse({"ok": True})
    return JsonResponse(found.said, status=503)


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
