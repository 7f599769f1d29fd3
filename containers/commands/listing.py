"""status and list: vzctl's line, vzlist's columns. Both only read rows."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from django.db.models import QuerySet

from containers.commands import columns, ctid
from containers.commands.output import Output
from containers.grammar import Given
from containers.models import Container
from containers.node.errors import BadValue, BadValues, Code
from containers.node.states import State

WORDS = {
    State.CREATING: "deleted unmounted down",
    State.STOPPED: "exist unmounted down",
    State.MOUNTED: "exist mounted down",
    State.RUNNING: "exist mounted running",
    State.PAUSED: "exist mounted paused",
    State.SUSPENDED: "exist unmounted down suspended",
    State.BROKEN: "deleted unmounted down",
    State.UNKNOWN: "exist unmounted unknown",
}
LEFT_MOUNTED = "exist mounted down suspended"
GONE = "deleted unmounted down"
DEFAULT = ("ctid", "numproc", "status", "ip", "hostname")
NONE_FOUND = 1  # vzlist's


def status(given: Given, output: Output) -> int:
    word = given.operands["CTID"]
    container = ctid.look(word)
    number = container.ctid if container else ctid.read(word)
    line = f"CTID {number} {word_of(container) if container else GONE}"
    if container:
        output.show({**columns.all_of(container), "status_line": line}, [line])
    else:
        output.show({"ctid": number, "state": None, "status_line": line}, [line])
    return Code.OK


def word_of(container: Container) -> str:
    return LEFT_MOUNTED if container.left_mounted else WORDS[State(container.state)]


def list_(given: Given, output: Output) -> int:
    if "fields" in given:
        fields = columns.ALL
        output.show([f.name for f in fields], [f"{f.name:<15} {f.header}" for f in fields])
        return Code.OK
    found = arranged(given, list(chosen(given)))
    if output.json:
        names = (
            [c.name for c in wanted(given)] if "output" in given else [c.name for c in columns.ALL]
        )
        output.show([{n: columns.BY_NAME[n].value(c) for n in names} for c in found], [])
        return Code.OK
    if not found:
        output.say("Container(s) not found")
        return NONE_FOUND
    bare = "no_header" in given or "only_ctid" in given
    output.show(None, lines(wanted(given), found, header=not bare, trim="no_trim" not in given))
    return Code.OK


def chosen(given: Given) -> Iterable[Container]:
    found: QuerySet[Container] = Container.objects.select_related("node", "template", "owner")
    found = found.prefetch_related("address_set")
    if given.rest:
        found = found.filter(pk__in=[ctid.find(word).pk for word in given.rest])
    elif "stopped" in given:
        found = found.exclude(state=State.RUNNING)
    elif "all" not in given:
        found = found.filter(state=State.RUNNING)
    patterns = {
        "hostname": given.get("hostname"),
        "name": given.get("name_filter"),
        "description": given.get("description"),
    }
    return (
        container
        for container in found
        if all(p is None or fnmatchcase(getattr(container, f), p) for f, p in patterns.items())
    )


def arranged(given: Given, found: list[Container]) -> list[Container]:
    if "sort" not in given:
        return found
    backwards, name = given["sort"].startswith("-"), given["sort"].removeprefix("-")
    column = named(name)

    def place(container: Container) -> tuple[bool, Any]:
        value = column.value(container)
        return value is not None, value if isinstance(value, int | float) else f"{value}"

    return sorted(found, key=place, reverse=backwards)


def wanted(given: Given) -> list[columns.Column]:
    if "only_ctid" in given:
        return [named("ctid")]
    names: Sequence[str] = given["output"].split(",") if "output" in given else DEFAULT
    if "name" in given:
        names = ["name" if name == "hostname" else name for name in names]
    return [named(name.strip()) for name in names]


def named(name: str) -> columns.Column:
    name = columns.ALIASES.get(name, name)
    if name not in columns.BY_NAME:
        raise BadValue(BadValues.NO_FIELD, name=name, known=[c.name for c in columns.ALL])
    return columns.BY_NAME[name]


def lines(
    fields: Sequence[columns.Column], found: Sequence[Container], *, header: bool, trim: bool
) -> list[str]:
    """Columns as wide as vzlist's; the last is never cut."""
    rows = [[column.header for column in fields]] if header else []
    rows += [[column.text(container) for column in fields] for container in found]
    return [
        " ".join(
            column.cell(text, trim=trim and column is not fields[-1])
            for column, text in zip(fields, row, strict=True)
        ).rstrip()
        for row in rows
    ]
