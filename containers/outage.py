"""Why the database can't be used now: what drivers say in their own ways, as one of few words."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Self

from django.db import Error, InterfaceError, OperationalError


class Outage(StrEnum):
    """sentence: for people who may know nothing of databases."""

    sentence: str

    def __new__(cls, word: str, sentence: str) -> Self:
        outage = str.__new__(cls, word)
        outage._value_ = word
        outage.sentence = sentence
        return outage

    AWAY = "away", "The panel's database can't be reached."
    LOCKED = "locked", "The panel's database is locked by another program."
    FULL = "full", "The disk of the panel's database is full."
    READ_ONLY = "read-only", "The panel's database can't be written to."
    EMPTY = "empty", "The panel's database is empty, or of another version."
    DAMAGED = "damaged", "The panel's database can't be read: it or its disk is damaged."

    @property
    def said(self) -> dict[str, object]:
        """To programs, as JSON."""
        return {"ok": False, "reason": self.value, "error": self.sentence}


BY_NAME = (  # SQLite's names of errors; extended ones begin with these
    ("SQLITE_BUSY", Outage.LOCKED),
    ("SQLITE_LOCKED", Outage.LOCKED),
    ("SQLITE_FULL", Outage.FULL),
    ("SQLITE_IOERR_SHMSIZE", Outage.FULL),
    ("SQLITE_IOERR_WRITE", Outage.FULL),
    ("SQLITE_READONLY", Outage.READ_ONLY),
    ("SQLITE_PERM", Outage.READ_ONLY),
    ("SQLITE_CANTOPEN", Outage.AWAY),
    ("SQLITE_IOERR", Outage.DAMAGED),
    ("SQLITE_CORRUPT", Outage.DAMAGED),
    ("SQLITE_NOTADB", Outage.DAMAGED),
)
BY_STATE = (  # PostgreSQL's, https://www.postgresql.org/docs/current/errcodes-appendix.html
    ("08", Outage.AWAY),
    ("57P", Outage.AWAY),  # it shuts down, starts, or has crashed
    ("53100", Outage.FULL),
    ("53", Outage.AWAY),  # too many connections, out of memory
    ("55P03", Outage.LOCKED),
    ("25006", Outage.READ_ONLY),
    ("42P01", Outage.EMPTY),
    ("42703", Outage.EMPTY),
    ("58", Outage.DAMAGED),
    ("XX", Outage.DAMAGED),
)
NEVER_MADE = ("no such table", "no such column")


def of(error: BaseException | None) -> Outage | None:
    """None for an error that is of what was asked, not of the database."""
    if not isinstance(error, Error):
        return None
    cause = error.__cause__ or error
    if name := getattr(cause, "sqlite_errorname", ""):
        if name == "SQLITE_ERROR" and f"{cause}".startswith(NEVER_MADE):
            return Outage.EMPTY
        return next((outage for known, outage in BY_NAME if name.startswith(known)), None)
    if state := getattr(cause, "sqlstate", None):
        return next((outage for known, outage in BY_STATE if state.startswith(known)), None)
    lost = isinstance(error, OperationalError | InterfaceError)  # no server has said anything
    return Outage.AWAY if lost else None


class Brief(logging.Filter):
    """An outage is a line of the log, not a traceback for each request."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if outage := of(error):
            record.msg, record.args = f"{record.getMessage()}: {outage.sentence}", ()
            record.exc_info = None
        return True
