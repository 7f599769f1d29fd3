"""Operations on the command line: what is under way, what was said, how it ended."""

from datetime import datetime
from typing import Any

from containers.commands import ctid
from containers.commands.follow import described, follow, title
from containers.commands.output import Output, table
from containers.grammar import Given
from containers.models import LogChunk, Operation
from containers.node.bound import Cut
from containers.node.errors import BadValue, BadValues, Code
from containers.node.states import Progress

LATEST = 20
STANDS = {
    Progress.QUEUED: "is queued",
    Progress.RUNNING: "is running",
    Progress.CANCELLING: "is being cancelled",
    Progress.SUCCEEDED: "has succeeded",
    Progress.FAILED: "has failed",
    Progress.CANCELLED: "was cancelled",
    Progress.INTERRUPTED: "was interrupted",
}


def list_(given: Given, output: Output) -> int:
    found = Operation.objects.select_related("node", "container", "by")
    if "CTID" in given.operands:
        number = ctid.read(given.operands["CTID"])
        number = number or ctid.find(given.operands["CTID"]).ctid
        found = found.filter(ctid=number)
    rows = list(found if "all" in given else found[:LATEST])
    output.show(
        [described(each) for each in rows],
        table(
            ("ID", "REQUESTED", "WHAT", "STATE", "CODE"),
            [
                (
                    o.pk,
                    moment(o.requested),
                    title(o),
                    o.state,
                    "-" if o.code is None else o.code,
                )
                for o in rows
            ],
        ),
    )
    return Code.OK


def show(given: Given, output: Output) -> int:
    operation = chosen(given)
    steps = list(operation.steps.all())
    if output.json:
        output.show({**described(operation), "steps": [step(each) for each in steps]}, [])
        return Code.OK
    lines = [
        f"{key}: {moment(value) if isinstance(value, datetime) else value}"
        for key, value in described(operation).items()
        if value not in (None, "", {})
    ]
    rows = [
        ("undo: " * each.undo + each.label, each.where, each.state, each.note) for each in steps
    ]
    output.show(None, [*lines, "", *table(("STEP", "WHERE", "STATE", ""), rows)])
    return Code.OK


def step(each: Any) -> dict[str, Any]:
    names = "number key label where state undo code signal began ended version sha256 note"
    return {name: getattr(each, name) for name in names.split()}


def log(given: Given, output: Output) -> int:
    operation = chosen(given)
    output.raw = True
    if "follow" in given and not operation.done:
        return follow(lambda: operation, output)
    offset = 0
    for chunk in LogChunk.objects.filter(operation=operation).order_by("offset").iterator():
        if chunk.offset > offset:
            output.write(Cut(offset, chunk.offset).mark)
        output.write(bytes(chunk.data))
        offset = chunk.offset + len(chunk.data)
    return Code.OK


def cancel(given: Given, output: Output) -> int:
    operation = chosen(given)
    if not operation.cancel():
        raise BadValue(
            BadValues.NOT_CANCELLABLE, operation=operation, stands=STANDS[Progress(operation.state)]
        )
    output.say(f"{operation} {STANDS[Progress(operation.state)]}.")
    output.show(described(operation), [])
    return Code.OK


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def chosen(given: Given) -> Operation:
    word = given.operands["ID"]
    found = Operation.objects.filter(pk=int(word)).first() if word.isdecimal() else None
    if found is None:
        raise BadValue(BadValues.NO_OPERATION, word=word)
    return found
