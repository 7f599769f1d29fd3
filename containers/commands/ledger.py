"""The audit as this node has seen it: compared with the database, and printed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings

from containers.commands.database import need_root, no_access
from containers.commands.output import Output
from containers.commands.plain import visible
from containers.grammar import Given
from containers.node import ledger
from containers.node.errors import BadValue, BadValues, Code, OperationError, Problem
from containers.worker.ledger import Finding, compare

FIRST = 100  # findings that are told; more of them say nothing new
SENTENCES = {
    "changed": "Row {0.number} was changed: {0.said}.",
    "missing": "Row {0.number} is missing: {0.said}",
    "inserted": "Row {0.number} was inserted: {0.said}",
    "backdated": "Row {0.number} was inserted, or its time is wrong: {0.said}.",
    "broken": "Line {0.number} of the ledger was changed: {0.said}.",
    "cut": "The ledger ends at line {0.number}: {0.said}.",
}


def verify(given: Given, output: Output) -> int:
    with at_hand():
        earlier = earlier_head(given.get("head", ""))
        found = list(compare(settings.NODE))
        if earlier and not holds(*earlier):
            found.append(Finding("broken", earlier[0], "it is not the one that was noted"))
        head = ledger.head(settings.NODE)
    for finding in found[:FIRST]:
        output.complain(visible(SENTENCES[finding.word].format(finding)))
    if len(found) > FIRST:
        output.complain(f"There are {len(found) - FIRST} more.")
    if not found:
        output.say("The audit is as this node has seen it.")
    output.show(
        {
            "sound": not found,
            "lines": head.count,
            "head": f"{head.count}:{head.last}",
            "findings": [vars(finding) for finding in found],
        },
        [f"{head.count}:{head.last}"],
    )
    return Code.SYSTEM if found else Code.OK


def earlier_head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    count, _, last = text.partition(":")
    if not (count.isascii() and count.isdecimal() and len(count) < 19 and last):
        raise BadValue(BadValues.NOT_A_HEAD, word=text[:80])
    return int(count), last


def holds(count: int, last: str) -> bool:
    if count == 0:
        return last == ledger.START
    lines = (line for line in ledger.lines(settings.NODE) if line and line["n"] == count)
    return any(line["chain"] == last for line in lines)


def export(given: Given, output: Output) -> int:
    since, until = moment(given.get("since", "")), moment(given.get("until", ""))
    with at_hand():
        for line in ledger.lines(settings.NODE):
            if line is None:
                output.complain("A line of the ledger can't be read.")
                continue
            at = datetime.fromisoformat(line["row"]["at"])
            if (since is None or at >= since) and (until is None or at < until):
                output.out(f"{json.dumps(line)}\n")
    return Code.OK


def moment(text: str) -> datetime | None:
    """Without a zone it is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(BadValues.NOT_A_TIME, word=text[:40]) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def at_hand() -> Iterator[None]:
    folder = settings.NODE.state / "ledger"
    need_root(f"{folder}")
    try:
        yield
    except PermissionError:
        raise no_access(f"{folder}") from None
    except FileNotFoundError:
        raise OperationError(Problem.NO_LEDGER, path=folder) from None
