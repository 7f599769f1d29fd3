"""The panel's database, as pctl finds it: there and open to us, or why not."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.utils import ProgrammingError

from containers.models import Busy
from containers.node.errors import Locked, OperationError
from containers.node.runtimes import DRY_RUN

NO_ACCESS = 12  # vzctl's "not enough privilege"


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
        raise Locked(busy.for_pctl) from busy
    except (OperationalError, InterfaceError, ProgrammingError) as error:
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
        raise OperationError(
            f"the panel has no database at {path} yet: make run makes it"
        ) from None
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise no_access(f"the panel's database {path}")


def away(error: Error) -> OperationError:
    said = " ".join(f"{error}".split())
    return OperationError(f"the panel's database can't be used ({said})")


def no_access(what: str) -> OperationError:
    return OperationError(f"you have no access to {what}: run pctl as root", NO_ACCESS)


def need_root(what: str) -> None:
    if os.geteuid() and settings.RUNTIME != DRY_RUN:
        raise no_access(what)
