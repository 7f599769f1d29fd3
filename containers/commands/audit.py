"""What pctl did that is no operation: on record, with the name of whoever sits there."""

import os
import pwd
from typing import Any

from containers.models import AuditEvent, Via
from containers.models.audit import Actor


def noted(what: str, *, ctid: int | None = None, **details: Any) -> None:
    AuditEvent.record(what[:255], ctid=ctid, **actor(), **details)


def actor() -> Actor:
    return {"by": None, "via": Via.PCTL, "login": login()}


def login() -> str:
    """Who sits there, as the node knows them."""
    if sudoer := os.environ.get("SUDO_USER"):
        return sudoer
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"{os.getuid()}"
