"""The audit's rows, as they come into the node's own ledger; and how the two compare."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db.models import Max, Q, QuerySet

from containers.models import AuditEvent, Node
from containers.node import ledger
from containers.node.conf import NodeConf
from containers.node.errors import OperationError

logger = logging.getLogger(__name__)
AT_ONCE = 1000  # rows
FORGOTTEN = ("by", "container")  # whose rows may be deleted: then nothing is named any more


def take_in(conf: NodeConf) -> int:
    """Add the rows that are new, up to AT_ONCE of them; returns how many.

    Raises OSError, OperationError, DatabaseError.
    """
    with ledger.opened(conf) as book:
        begins = book.head.old is None
        if begins:
            book.begin(AuditEvent.objects.aggregate(top=Max("pk"))["top"] or 0)
        found = list(new(book.head)[:AT_ONCE])
        if found or begins:
            book.add([told(row) for row in found], all_there_are=len(found) < AT_ONCE)
    return len(found)


def new(head: ledger.Head) -> QuerySet[AuditEvent]:
    """Those beyond the last that was seen, and those that were passed over and have come since."""
    waited = Q(pk__gt=head.top)
    for gap in head.gaps:
        if gap.until > datetime.now(UTC).isoformat():
            waited |= Q(pk__range=(gap.first, gap.last))
    return AuditEvent.objects.filter(waited).exclude(pk__in=head.odd).order_by("pk")


def told(row: AuditEvent) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": row.at.astimezone(UTC).isoformat(),
        "by": row.by_id,
        "name": row.name,
        "via": row.via,
        "address": row.address,
        "ctid": row.ctid,
        "container": row.container_id,
        "what": row.what,
        "details": row.details,
    }


class Keeper:
    """Takes them in as long as a worker works; says once what keeps it from that."""

    def __init__(self, conf: NodeConf, node: Node) -> None:
        self.conf, self.node, self.why = conf, node, ""

    def go(self) -> None:
        why = ""
        try:
            take_in(self.conf)
        except (OSError, OperationError) as error:
            why = f"{error}"
        if why != self.why:
            if why:
                logger.error("the audit is not taken into the ledger: %s", why)
            self.why = why
            self.node.refresh_from_db()
            self.node.facts["ledger"] = why  # staff see it on the node's page
            self.node.save(update_fields=["facts"])


@dataclass(frozen=True)
class Finding:
    """word: changed, missing, inserted, backdated, of a row; broken, cut, of the ledger itself."""

    word: str
    number: int  # the row's id, or the line's number
    said: str


def compare(conf: NodeConf) -> Iterator[Finding]:
    """What is wrong with the rows, by the ledger, and with the ledger. Raises OSError."""
    head, seen = ledger.head(conf), set[int]()
    yield from of_lines(conf, head)
    there = (line["row"] for line in ledger.lines(conf) if line)
    while lot := list(islice(there, AT_ONCE)):
        seen.update(row["id"] for row in lot)
        yield from of_rows(lot)
    now = datetime.now(UTC).isoformat()
    awaited = {pk for gap in head.gaps if gap.until > now for pk in range(gap.first, gap.last + 1)}
    rows = AuditEvent.objects.filter(pk__lte=head.top).order_by("pk")
    for pk, name, what in rows.values_list("pk", "name", "what").iterator():
        if pk not in seen and pk not in awaited:
            yield Finding("inserted", pk, f"{name}: {what}")


def of_lines(conf: NodeConf, head: ledger.Head) -> Iterator[Finding]:
    """What is wrong with the ledger itself, and with when a row came."""
    last, number = ledger.START, 0
    for line in ledger.lines(conf):
        number += 1
        if line is None or line["n"] != number or ledger.chain(last, line) != line["chain"]:
            yield Finding("broken", number, "the line is not what was written here")
        if line is None:
            continue
        last, number = line["chain"], line["n"]
        if number == head.count and last != head.last:
            yield Finding("broken", number, "the line is not the one that was written last")
        if late(line):
            said = f"it says {line['row']['at']}, but was not there at {line['since']}"
            yield Finding("backdated", line["row"]["id"], said)
    if number < head.count:
        yield Finding("cut", number, f"{head.count - number} lines after it are missing")


def of_rows(said: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    there = AuditEvent.objects.in_bulk([row["id"] for row in said])
    for row in said:
        if row["id"] not in there:
            yield Finding("missing", row["id"], f"{row['at']} {row['name']}: {row['what']}")
            continue
        now = told(there[row["id"]])
        changed = [
            key
            for key, value in row.items()
            if now[key] != value and not (key in FORGOTTEN and now[key] is None)
        ]
        if changed:
            said_then = ", ".join(f"{key} was {row[key]!r}" for key in changed)
            yield Finding("changed", row["id"], said_then)


def late(line: dict[str, Any]) -> bool:
    """Whether by the time it gives itself it would have been seen before."""
    if "since" not in line:
        return False
    at = datetime.fromisoformat(line["row"]["at"])
    return at + ledger.PATIENCE < datetime.fromisoformat(line["since"])
