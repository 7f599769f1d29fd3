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
from containers.node.network import names
from containers.node.states import State

BLOCK = 1024


@dataclass(frozen=True)
class Column:
    """width: negative when the text stands on the left."""

    name: str
    header: str
    width: int
    value: Callable[[Container], Any]
    show: Callable[[Any], str] | None = None

    def text(self, container: Container) -> str:
        value = self.value(container)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            value = " ".join(value)
        if self.show and value is not None:
            value = self.show(value)
        return "-" if value is None or value == "" else f"{value}"

    def cell(self, text: str, *, trim: bool) -> str:
        width = abs(self.width)
        if trim and not self.show:
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


def clock(seconds: int) -> str:
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days:03}d{hours:02}h:{minutes:02}m:{left:02}s"


def averages(container: Container) -> tuple[float, ...] | None:
    """Over 1, 5 and 15 minutes."""
    found = container.usage.get("load") if container.state == State.RUNNING else None
    return tuple(round(value, 2) for value in found) if found else None


def slashed(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:.2f}" for value in values)


def nobody(container: Container) -> None:
    """Of a column that only OpenVZ's kernel, or its disk images, have something for."""


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
    Column("laverage", "LAVERAGE", 14, averages, slashed),
    Column("uptime", "UPTIME", 15, uptime, clock),
    Column("vswap", "VSWAP", 5, lambda c: c.ram is not None),
    Column("layout", "LAYOUT", -6, lambda c: c.node.storage),
    Column("host_ifname", "HOST_IFNAME", -15, lambda c: names.veth(settings.NODE, c.ctid)),
    Column("private", "PRIVATE", -32, path("private")),
    Column("root", "ROOT", -32, path("root")),
    Column("node", "NODE", -16, lambda c: f"{c.node}"),
    Column("since", "SINCE", -20, lambda c: iso(c.state_since)),
)
WITHOUT_A_VALUE = tuple(
    Column(f"{name}{suffix}", f"{header}{suffix.upper()}", 10, nobody)
    for name, header in (
        ("kmemsize", "KMEMSIZE"), ("lockedpages", "LOCKEDP"), ("privvmpages", "PRIVVMP"),
        ("shmpages", "SHMP"), ("numproc", "NPROC"), ("physpages", "PHYSP"),
        ("vmguarpages", "VMGUARP"), ("oomguarpages", "OOMGUARP"), ("numtcpsock", "NTCPSOCK"),
        ("numflock", "NFLOCK"), ("numpty", "NPTY"), ("numsiginfo", "NSIGINFO"),
        ("tcpsndbuf", "TCPSNDB"), ("tcprcvbuf", "TCPRCVB"), ("othersockbuf", "OTHSOCKB"),
        ("dgramrcvbuf", "DGRAMRB"), ("numothersock", "NOTHSOCK"), ("dcachesize", "DCACHESZ"),
        ("numfile", "NFILE"), ("numiptent", "NIPTENT"), ("swappages", "SWAPP"),
        ("diskspace", "DSPACE"), ("diskinodes", "DINODES"), ("mount_opts", "MOUNT_OPTS"),
        ("origin_sample", "ORIGIN_SAMPLE"), ("ioprio", "IOP"), ("bootorder", "BOOTORDER"),
        ("features", "FEATURES"),
    )
    for suffix in ("", ".m", ".b", ".l", ".f", ".s", ".h")
)  # fmt: skip
# Reports that name all of vzlist's columns get "-" for those that mean nothing here.
BY_NAME = {column.name: column for column in (*WITHOUT_A_VALUE, *ALL)}
ALIASES = {"veid": "ctid", "vpsid": "ctid", "state": "status", "pids": "numproc"}


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
