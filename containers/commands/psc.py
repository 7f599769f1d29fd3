"""Snapshots on the command line: each word of osctl psc is a function here."""

import os
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from containers.commands import container as containers
from containers.commands import ctid
from containers.commands.follow import follow
from containers.commands.grammar import Given
from containers.commands.places import here, this_node
from containers.commands.voice import Voice, table
from containers.models import Container, Inquiry, Operation, Snapshot, Via
from containers.node.checkpoint.verdict import Answer, Verdict, verify
from containers.node.errors import BadValue, Code, OperationError, Refused
from containers.node.states import Progress
from containers.node.templates import catalogue

SHORTEST = 4  # characters of the beginning of a UUID
PATIENCE = 60.0  # seconds for another node's answer
TICK = 0.2
UNDUMPABLE = (Code.CHECKPOINT, Code.RESTORE)


class Ambiguous(BadValue):
    """A word that names several snapshots."""


def create(given: Given, voice: Voice) -> int:
    container = ctid.find(given.operands["CTID"])
    made: list[Operation] = []

    def request() -> Operation:
        params = given.pick("stop", "disk_only")
        name, note = given.get("name", ""), given.get("note", "")
        made.append(Snapshot.take(container, name=name, note=note, via=Via.PCTL, **params))
        return made[0]

    code = follow(request, voice)
    if made[0].state == Progress.SUCCEEDED and not voice.json:
        voice.show(None, [made[0].params["snapshot"]])
    return code


def restore(given: Given, voice: Voice) -> int:
    snapshot = chosen(given)
    params = given.pick("disk_only", "tcp_close")
    safety = "no_safety" not in given
    return follow(lambda: snapshot.restore(safety=safety, via=Via.PCTL, **params), voice)


def list_(given: Given, voice: Voice) -> int:
    found = Snapshot.objects.select_related("container", "by", "parent")
    if "CTID" in given.operands:
        found = found.filter(container=ctid.find(given.operands["CTID"]))
    rows = list(found)
    voice.show(
        [described(each) for each in rows],
        table(
            ("UUID", "CTID", "CREATED", "HOLDS", "VERDICT", "NAME"),
            [
                (
                    each.uuid,
                    each.container.ctid,
                    f"{each.created:%Y-%m-%d %H:%M:%S}Z",
                    "processes" if each.with_processes else "disk",
                    each.verdict or "-",
                    " ".join(filter(None, [each.name, "(here)" if each.here else ""])),
                )
                for each in rows
            ],
        ),
    )
    return Code.OK


def show(given: Given, voice: Voice) -> int:
    said = described(chosen(given))
    voice.show(said, [f"{key}: {worded(value)}" for key, value in said.items()])
    return Code.OK


def worded(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(value) or "-"
    return "-" if value in (None, "") else f"{value}"


def delete(given: Given, voice: Voice) -> int:
    snapshot = chosen(given)
    if snapshot.protected and "force" not in given:
        raise Refused(f"{snapshot} is protected; --force deletes it all the same")
    return follow(lambda: snapshot.delete_from_node(via=Via.PCTL), voice)


def clone(given: Given, voice: Voice) -> int:
    snapshot, number = chosen(given), ctid.new(given.operands["NEWCTID"])
    owner = containers.owner(given["owner"]) if "owner" in given else snapshot.container.owner
    return follow(
        lambda: snapshot.clone(
            number,
            processes=given.get("processes", False),
            via=Via.PCTL,
            hostname=given.get("hostname", ""),
            owner=owner,
        ),
        voice,
    )


def publish(given: Given, voice: Voice) -> int:
    snapshot, name = chosen(given), catalogue.check(given.operands["NAME"])
    return follow(lambda: snapshot.publish(name, via=Via.PCTL), voice)


def protect(given: Given, voice: Voice) -> int:
    snapshot = chosen(given)
    snapshot.protected = "off" not in given
    snapshot.save(update_fields=["protected"])
    voice.say(f"{snapshot} is {'' if snapshot.protected else 'not '}protected.")
    voice.show(described(snapshot), [])
    return Code.OK


def ok(given: Given, voice: Voice) -> int:
    """0 ok, 1 can't tell, 2 broken, unknown or impossible here; reasons on stderr."""
    try:
        snapshot = chosen(given)
    except Ambiguous:
        raise  # bad usage
    except OperationError as error:
        return conclude(Verdict(Answer.BROKEN, (f"{error}",)), None, voice)
    verdict = looked_at(snapshot) if at_hand(snapshot) else inquired(snapshot)
    if "rehearse" in given and verdict.answer is not Answer.BROKEN:
        verdict = rehearsed(snapshot, verdict, voice)
    snapshot.judge(verdict.answer, list(verdict.reasons))
    return conclude(verdict, snapshot, voice)


def conclude(verdict: Verdict, snapshot: Snapshot | None, voice: Voice) -> int:
    uuid = snapshot.uuid if snapshot else None
    for reason in verdict.reasons:
        voice.complain(f"{reason}.")
    voice.show({"snapshot": uuid, **verdict.words()}, [verdict.answer])
    return verdict.exit


def at_hand(snapshot: Snapshot) -> bool:
    may = os.geteuid() == 0 or settings.RUNTIME == "rehearsal"
    return here(snapshot.container.node) and may


def looked_at(snapshot: Snapshot) -> Verdict:
    number = snapshot.container.ctid
    try:
        return verify(settings.NODE, number, snapshot.uuid, manifest=snapshot.manifest)
    except OSError as error:
        return Verdict(Answer.CANT_TELL, (f"it can't be looked at: {error}",))


def inquired(snapshot: Snapshot) -> Verdict:
    """Of the node's own process: it is another machine's, or we may not look."""
    container = snapshot.container
    inquiry = Inquiry.ask(container.node, "verdict", ctid=container.ctid, snapshot=snapshot.uuid)
    deadline = time.monotonic() + PATIENCE
    while inquiry.answered is None and time.monotonic() < deadline:
        time.sleep(TICK)
        inquiry.refresh_from_db()
    if answer := inquiry.answer:
        return Verdict(Answer(answer["verdict"]), tuple(answer["reasons"]))
    why = inquiry.error or f"the node {container.node} has not answered"
    return Verdict(Answer.CANT_TELL, (why,))


class Aside(Voice):
    """Lets an operation be heard on stderr only: the answer on stdout is another."""

    def show(self, thing: Any, lines: Any) -> None:
        pass


def rehearsed(snapshot: Snapshot, verdict: Verdict, voice: Voice) -> Verdict:
    """What only a rehearsal can tell is told by one that succeeds."""
    if not snapshot.with_processes:
        voice.complain("It has no processes: there is nothing to rehearse.")
        return verdict
    operation = followed(lambda: snapshot.rehearse(via=Via.PCTL), Aside(True, voice.quiet))
    if operation.state == Progress.SUCCEEDED:
        return verdict.rehearsed()
    answer = Answer.BROKEN if operation.code in UNDUMPABLE else Answer.CANT_TELL
    why = operation.error.rstrip(".") or f"the rehearsal was {operation.state}"
    return Verdict(answer, (why, *verdict.reasons))


def followed(request: Callable[[], Operation], voice: Voice) -> Operation:
    made: list[Operation] = []

    def ask() -> Operation:
        made.append(request())
        return made[0]

    follow(ask, voice)
    made[0].refresh_from_db()
    return made[0]


def chosen(given: Given) -> Snapshot:
    """By its UUID, the beginning of that, or its name. Raises OperationError."""
    this_node()
    container = ctid.find(given.operands["CTID"])
    return find(container, given.operands["SNAPSHOT"])


def find(container: Container, word: str) -> Snapshot:
    mine = container.snapshots.select_related("container__node", "by", "parent")
    found = list(mine.filter(name=word)) if word else []
    if len(word) >= SHORTEST:
        found = list(mine.filter(uuid=word.lower())) or found
        found = found or list(mine.filter(uuid__startswith=word.lower()))
    if not found:
        raise BadValue(f"{container} has no snapshot {word}")
    if len(found) > 1:
        raise Ambiguous(f"{word} may be any of {', '.join(each.uuid for each in found)}")
    return found[0]


def described(snapshot: Snapshot) -> dict[str, Any]:
    """What --json says of a snapshot."""
    columns = (
        "uuid", "name", "note", "created", "with_processes", "size", "safety", "scheduled",
        "protected", "expires", "manifest", "verdict", "reasons", "verified",
    )  # fmt: skip
    return {
        "ctid": snapshot.container.ctid,
        **{name: getattr(snapshot, name) for name in columns},
        "by": snapshot.by.get_username() if snapshot.by else None,
        "parent": snapshot.parent.uuid if snapshot.parent else None,
        "here": snapshot.here,
        "operation": snapshot.number,
        **snapshot.facts,
    }
