"""The panel's database, as pctl finds it: there and open to us, or why not."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.utils import ProgrammingError

from containers import outage
from containers.models import Busy
from containers.node import panels
from containers.node.errors import Locked, OperationError, Problem
from containers.node.runtimes import DRY_RUN

USELESS = (OperationalError, InterfaceError, ProgrammingError)
NO_ACCESS = 12  # vzctl's "not enough privilege"


class Held(Locked):
    """An operation is under way; on the command line it can be cancelled."""

    def __str__(self) -> str:
        said, number = super().__str__(), self.details.get("operation")
        way = f"; cancel it with pctl operation cancel {number}." if number else "."
        return f"{said.removesuffix('.')}{way}"


@contextlib.contextmanager
def at_hand() -> Iterator[None]:
    """Says in a sentence what keeps us from the rows, or who is at work on them."""
    logger = logging.getLogger("containers")
    level = logger.level
    logger.setLevel(logging.ERROR)  # nobody hears a bell: no matter
    try:
        check()
        yield
    except Busy as busy:
        raise Held(busy.problem, **busy.details) from busy
    except Error as error:
        if outage.of(error) is None and not isinstance(error, USELESS):
            raise
        raise away(error) from error
    finally:
        logger.setLevel(level)


def check() -> None:
    """SQLite would make an empty database where there is none."""
    if connection.vendor != "sqlite":
        return
    path = Path(f"{connection.settings_dict['NAME']}")
    if connection.settings_dict["NAME"] == ":memory:" or "mode=memory" in f"{path}":
        return
    try:
        path.stat()
    except PermissionError:
        raise no_access(f"the panel's database {path}") from None
    except OSError:
        if programs := others_programs():
            raise OperationError(Problem.NOT_THIS_PANEL, path=path, known=programs) from None
        raise OperationError(Problem.NO_DATABASE, path=path) from None
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise no_access(f"the panel's database {path}")


def others_programs() -> list[str]:
    """The pctl of each other panel of this machine that has a database."""
    states = panels.others(settings.NODE)
    return [f"{s / 'bin/pctl'}" for s in states if (s / "web/panel.sqlite3").exists()]


def away(error: Error) -> OperationError:
    said = " ".join(f"{error}".split())
    return OperationError(Problem.DATABASE_AWAY, why=said)


def no_access(what: str) -> OperationError:
    return OperationError(Problem.NO_ACCESS, what=what)


def need_root(what: str) -> None:
    if os.geteuid() and settings.RUNTIME != DRY_RUN:
        raise no_access(what)
