"""How long a request may take: a database that works for a request stops when its time is over.

SQLite asks now and then whether to go on; PostgreSQL is told how long a statement may take.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from containers import outage
from containers.views.failures import database_out, failure

LOCKED = 8.0  # seconds that a request waits for a database that somebody has locked
OFTEN = 20_000  # steps of SQLite's machine between two looks at the clock: about a millisecond

until: ContextVar[float | None] = ContextVar("until", default=None)  # of time.monotonic()


def begin() -> None:
    """From now on this request's time runs, in the threads that work for it, too."""
    if settings.REQUEST_SECONDS:
        until.set(time.monotonic() + settings.REQUEST_SECONDS)


def over() -> bool:
    end = until.get()
    return end is not None and time.monotonic() > end


def limit(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """What Django calls when it has connected; each request connects anew."""
    end = until.get()
    if end is None:
        return
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(over, OFTEN)
        left = max(0.0, min(LOCKED, end - time.monotonic()))
        connection.connection.execute(f"PRAGMA busy_timeout = {round(left * 1000)}")
    elif connection.vendor == "postgresql":
        left = max(1, round((end - time.monotonic()) * 1000))
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{left}"])


connection_created.connect(limit, dispatch_uid="deadline")


class Deadline(MiddlewareMixin):
    """Says so in a page of ours when the database has stopped for it, or can't be used."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if found := outage.of(exception):
            return database_out(request, found)
        if isinstance(exception, OperationalError) and over():
            return failure(request, 503, LATE, ADVICE)
        return None


LATE = "That took too long, and was stopped."
ADVICE = "Look whether it was done before you try again. If you searched: use fewer words."
