"""Snapshots in vzctl's words: the same snapshots as those of osctl psc."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from containers.commands import ctid, psc
from containers.commands.follow import follow
from containers.commands.output import Output
from containers.grammar import BadSyntax, Given
from containers.models import Container, Snapshot, Via
from containers.node.errors import BadUsages, BadValue, BadValues, Code, OperationError

LEFT = 130  # with Ctrl-C; the operation continues
OWN = (Code.OK, Code.LOCKED, Code.NO_ACCESS, LEFT)  # codes that mean the same here
CREATE_FAILED, DELETE_FAILED, SWITCH_FAILED = 156, 158, 159  # vzctl's


@dataclass(frozen=True)
class Field:
    """A column of vzctl snapshot-list."""

    name: str
    header: str
    width: int
    value: Callable[[Snapshot], str]


FIELDS = (
    Field("uuid", "UUID", 38, lambda each: braced(each.uuid)),
    Field("parent_uuid", "PARENT_UUID", 38, lambda each: parent_of(each)),
    Field("current", "C", 1, lambda each: "*" if each.here else ""),
    Field("date", "DATE", 19, lambda each: f"{each.created:%Y-%m-%d %H:%M:%S}"),
    Field("name", "NAME", 32, lambda each: each.name),
    Field("desc", "DESC", 32, lambda each: each.note),
    Field("device", "DEVICE", 16, lambda each: ""),
    Field("target", "TARGET", 32, lambda each: ""),
)
BY_NAME = {field.name: field for field in FIELDS}
ALIASES = {"id": "uuid", "parent_id": "parent_uuid"}
DEFAULT = "parent_uuid,current,uuid,date,name"


def create(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    uuid = plain(given["id"]) if "id" in given else ""
    if uuid and container.snapshots.filter(uuid=uuid).exists():
        raise OperationError(BadValues.SNAPSHOT_THERE, CREATE_FAILED, uuid=uuid)
    return ended(
        follow(
            lambda: Snapshot.take(
                container,
                name=given.get("name", ""),
                note=given.get("description", ""),
                uuid=uuid,
                via=Via.PCTL,
                disk_only=given.get("skip_suspend", False),
            ),
            output,
        ),
        CREATE_FAILED,
    )


def switch(given: Given, output: Output) -> int:
    if "skip_resume" in given and "must_resume" in given:
        raise BadSyntax(BadUsages.NOT_BOTH, one="--skip-resume", other="--must-resume")
    snapshot = chosen(given)
    disk_only = "skip_resume" in given or not snapshot.with_processes
    return ended(
        follow(lambda: snapshot.restore(disk_only=disk_only, via=Via.PCTL), output), SWITCH_FAILED
    )


def delete(given: Given, output: Output) -> int:
    snapshot = chosen(given)
    return ended(follow(lambda: snapshot.delete_from_node(via=Via.PCTL), output), DELETE_FAILED)


def list_(given: Given, output: Output) -> int:
    if "fields" in given:
        output.show([f.name for f in FIELDS], [f"{f.name:<15} {f.header}" for f in FIELDS])
        return Code.OK
    container = ctid.find(given.operands["CTID"])
    fields = [field(name.strip()) for name in given.get("output", DEFAULT).split(",")]
    found = list(container.snapshots.select_related("container", "by", "parent").order_by("pk"))
    if "id" in given:
        found = line_of(found, psc.find(container, plain(given["id"])))
    rows = [] if "no_header" in given else [[f.header for f in fields]]
    rows += [[f.value(each) for f in fields] for each in found]
    lines = (
        " ".join(f"{text:<{f.width}}" for f, text in zip(fields, row, strict=True)).rstrip()
        for row in rows
    )
    output.show([psc.described(each) for each in found], lines)
    return Code.OK


def line_of(found: list[Snapshot], last: Snapshot) -> list[Snapshot]:
    """It and its ancestors."""
    by_pk = {each.pk: each for each in found}
    wanted: set[int] = set()
    each = by_pk.get(last.pk)
    while each and each.pk not in wanted:
        wanted.add(each.pk)
        each = by_pk.get(each.parent_id or 0)
    return [each for each in found if each.pk in wanted]


def chosen(given: Given) -> Snapshot:
    container: Container = ctid.find(given.operands["CTID"])
    if "id" not in given:
        raise BadSyntax(BadUsages.OPTION_MISSING, name="--id")
    return psc.find(container, plain(given["id"]))


def plain(word: str) -> str:
    """A UUID as vzctl takes it, with or without braces. Raises BadValue."""
    try:
        return f"{UUID(word.strip('{}'))}"
    except ValueError:
        raise BadValue(BadValues.NOT_A_UUID, word=word) from None


def field(name: str) -> Field:
    name = ALIASES.get(name, name)
    if name not in BY_NAME:
        raise BadValue(BadValues.NO_FIELD, name=name, known=[*BY_NAME])
    return BY_NAME[name]


def braced(uuid: str) -> str:
    return f"{{{uuid}}}"


def parent_of(snapshot: Snapshot) -> str:
    return braced(snapshot.parent.uuid) if snapshot.parent else ""


def ended(code: int, failed: int) -> int:
    return code if code in OWN else failed
