"""The columns of pctl list: vzlist's names, headings and widths, and what a row says there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from containers.models import Container
from containers.node.layout import Layout
from containers.node.states import State

MIB_IN_BLOCKS = 1024
BLOCK = 1024


@dataclass(frozen=True)
class Column:
    """width: negative when the text stands on the left."""

    name: str
    header: str
    width: int
    value: Callable[[Container], Any]

    def text(self, container: Container) -> str:
        value = self.value(container)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            value = " ".join(value)
        return "-" if value is None or value == "" else f"{value}"

    def cell(self, text: str, *, trim: bool) -> str:
        width = abs(self.width)
        if trim:
            text = text[:width]
        return f"{text:<{width}}" if self.width < 0 else f"{text:>{width}}"


def used(key: str, unit: int = 1) -> Callable[[Container], int | None]:
    """What its node last measured (node/figures.py) while it ran; in units of so many bytes."""

    def value(container: Container) -> int | None:
        figure = container.usage.get(key) if container.state == State.RUNNING else None
        return None if not figure or figure["used"] is None else figure["used"] // unit

    return value


def path(which: str) -> Callable[[Container], str]:
    return lambda container: f"{getattr(Layout(settings.NODE, container.ctid), which)}"


def uptime(container: Container) -> float | None:
    """Seconds."""
    if container.state != State.RUNNING:
        return None
    return int((now() - container.state_since).total_seconds())


def blocks(container: Container) -> int | None:
    return container.diskspace * MIB_IN_BLOCKS if container.diskspace else None


def iso(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


ALL = (
    Column("ctid", "CTID", 10, lambda c: c.ctid),
    Column("numproc", "NPROC", 10, used("pids")),
    Column("numproc.l", "NPROC.L", 10, lambda c: c.pids),
    Column("status", "STATUS", -9, lambda c: c.state),
    Column("ip", "IP_ADDR", -15, lambda c: c.addresses),
    Column("hostname", "HOSTNAME", -32, lambda c: c.hostname),
    Column("name", "NAME", -32, lambda c: c.name),
    Column("smart_name", "SMARTNAME", 10, lambda c: c.name or c.ctid),
    Column("description", "DESCRIPTION", -32, lambda c: c.description),
    Column("ostemplate", "OSTEMPLATE", -32, lambda c: f"{c.template}" if c.template else None),
    Column("nameserver", "NAMESERVER", -32, lambda c: c.nameservers),
    Column("searchdomain", "SEARCHDOMAIN", -32, lambda c: c.searchdomains),
    Column("physpages", "PHYSP", 10, used("memory", 4096)),
    Column("ram", "RAM_MIB", 10, lambda c: c.ram),
    Column("cpus", "CPUS", 6, lambda c: float(c.cpus) if c.cpus is not None else None),
    Column("cpulimit", "CPULIM", 7, lambda c: int(c.cpus * 100) if c.cpus is not None else None),
    Column("diskspace", "DSPACE", 10, used("disk", BLOCK)),
    Column("diskspace.h", "DSPACE.H", 10, blocks),
    Column("uptime", "UPTIME", 15, uptime),
    Column("onboot", "ONBOOT", 6, lambda c: c.onboot),
    Column("disabled", "DISABL", 6, lambda c: c.disabled),
    Column("private", "PRIVATE", -32, path("private")),
    Column("root", "ROOT", -32, path("root")),
    Column("owner", "OWNER", -16, lambda c: c.owner.get_username() if c.owner else None),
    Column("node", "NODE", -16, lambda c: f"{c.node}"),
    Column("since", "SINCE", -20, lambda c: iso(c.state_since)),
)
BY_NAME = {column.name: column for column in ALL}
ALIASES = {"veid": "ctid", "state": "status", "pids": "numproc"}


def all_of(container: Container) -> dict[str, Any]:
    """Every column, and beside them what vzlist has none for."""
    operation = container.operation
    return {
        **{column.name: column.value(container) for column in ALL},
        "state": container.state,
        "operation": operation.pk if operation else None,
        "node_away": container.node.away,
        "usage": container.usage,
        "usage_at": container.usage_at,
    }
