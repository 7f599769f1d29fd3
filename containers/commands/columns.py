"""The columns of pctl list: vzlist's names, headings and widths, and what a row says there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from containers.commands.places import here
from containers.models import Container
from containers.node import settings as of_container
from containers.node.layout import Layout
from containers.node.states import State

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
    """On this node; where another node keeps things, that one knows."""

    def path_of(container: Container) -> str:
        if not here(container.node):
            return ""
        return f"{getattr(Layout(settings.NODE, container.ctid), which)}"

    return path_of


def uptime(container: Container) -> float | None:
    """Seconds."""
    if container.state != State.RUNNING:
        return None
    return int((now() - container.state_since).total_seconds())


def iso(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def of_settings() -> list[Column]:
    return [
        Column(column.name, column.header, column.width, showing(setting.name, column.show))
        for setting in of_container.TABLE
        for column in setting.columns
    ]


def showing(name: str, show: Callable[[Any], Any]) -> Callable[[Container], Any]:
    def value(container: Container) -> Any:
        found = container.value_of(name)
        return None if found is None else show(found)

    return value


ALL = (
    Column("ctid", "CTID", 10, lambda c: c.ctid),
    Column("numproc", "NPROC", 10, used("pids")),
    Column("status", "STATUS", -9, lambda c: c.state),
    *of_settings(),
    Column("smart_name", "SMARTNAME", 10, lambda c: c.name or c.ctid),
    Column("ostemplate", "OSTEMPLATE", -32, lambda c: f"{c.template}" if c.template else None),
    Column("physpages", "PHYSP", 10, used("memory", 4096)),
    Column("diskspace", "DSPACE", 10, used("disk", BLOCK)),
    Column("uptime", "UPTIME", 15, uptime),
    Column("private", "PRIVATE", -32, path("private")),
    Column("root", "ROOT", -32, path("root")),
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
