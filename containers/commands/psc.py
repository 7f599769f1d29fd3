"""Snapshots on the command line: each word of osctl psc is a function here."""

import os
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.timesince import timesince

from containers.commands import container as containers
from containers.commands import ctid
from containers.commands.follow import follow
from containers.commands.output import Output, table
from containers.commands.places import here, this_node
from containers.grammar import Given
from containers.models import Container, Operation, Snapshot, Via
from containers.models.judged import BROKEN_PROCESSES
from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.verdict import Answer, Verdict, verify
from containers.node.errors import (
    BadValue,
    BadValues,
    Code,
    Doubts,
    OperationError,
    Problem,
    Refused,
)
from containers.node.runtimes import DRY_RUN
from containers.node.states import Progress
from containers.node.templates import catalogue, remains
from containers.node.wording import clauses
from containers.views import sizes

SHORTEST = 4  # characters of the beginning of a UUID
ANSWER_WITHIN = 60.0  # seconds for another node's answer
TICK = 0.2


class Ambiguous(BadValue):
    """A word that names several snapshots."""


def create(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    made: list[Operation] = []

    def request() -> Operation:
        params = given.pick("stop", "disk_only")
        name, note = given.get("name", ""), given.get("note", "")
        made.append(Snapshot.take(container, name=name, note=note, via=Via.PCTL, **params))
        return made[0]

    code = follow(request, output)
    if made[0].state == Progress.SUCCEEDED and not output.json:
        output.show(None, [made[0].params["snapshot"]])
    return code


def restore(given: Given, output: Output) -> int:
    snapshot = chosen(given)
    params = given.pick("disk_only", "tcp_close")
    safety, take = "no_safety" not in given, "take_settings" in given
    say_differences(snapshot, take, output)
    return follow(
        lambda: snapshot.restore(safety=safety, take=take, via=Via.PCTL, **params), output
    )


def say_differences(snapshot: Snapshot, take: bool, output: Output) -> None:
    then, container = snapshot.template_then, snapshot.container
    if then and then != f"{container.template or ''}":
        output.say(f"Its template was {then} then and is {container.template}: it is {then} again.")
    for each in snapshot.changed_since():
        was, now = (
            sizes.worded(each.setting, value).replace("\xa0", " ")
            for value in (each.then, each.now)
        )
        what = f"it is {was} again" if take else "that stays (--take-settings takes it back)"
        output.say(f"{each.setting.label} was {was} then and is {now} now: {what}.")


def list_(given: Given, output: Output) -> int:
    found = Snapshot.objects.select_related("container", "by", "parent")
    if "CTID" in given.operands:
        found = found.filter(container=ctid.find(given.operands["CTID"]))
    rows = list(found)
    output.show(
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


def show(given: Given, output: Output) -> int:
    snapshot = chosen(given)
    said = {**columns(snapshot), "tried": tried_words(snapshot), "trials": ""}
    lines = [f"{key}: {worded(value)}" for key, value in said.items() if key != "trials"]
    output.show(described(snapshot), lines)
    return Code.OK


def tried_words(snapshot: Snapshot) -> str:
    """When its last trial restore was, and what came of it."""
    if not (trial := snapshot.trial):
        return ""
    said = f"it failed. {trial.why}" if trial.error else trial.words
    return f"{timesince(trial.at)} ago: {said}"


def worded(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return clauses(value) or "-"
    return "-" if value in (None, "") else f"{value}"


def delete(given: Given, output: Output) -> int:
    snapshot = chosen(given)
    if snapshot.protected and "force" not in given:
        raise Refused(Problem.PROTECTED, snapshot=snapshot)
    return follow(lambda: snapshot.delete_from_node(via=Via.PCTL), output)


def clone(given: Given, output: Output) -> int:
    snapshot, number = chosen(given), ctid.new(given.operands["NEWCTID"])
    owner = containers.owner(given["owner"]) if "owner" in given else snapshot.container.owner
    return follow(
        lambda: containers.remarked(
            snapshot.clone(
                number,
                processes=given.get("processes", False),
                via=Via.PCTL,
                hostname=given.get("hostname", ""),
                owner=owner,
            ),
            output,
        ),
        output,
    )


def publish(given: Given, output: Output) -> int:
    snapshot, name = chosen(given), catalogue.check(given.operands["NAME"])
    clean = given.get("clean", remains.DEFAULT)
    return follow(lambda: snapshot.publish(name, clean=clean, via=Via.PCTL), output)


def protect(given: Given, output: Output) -> int:
    snapshot = chosen(given)
    snapshot.protected = "off" not in given
    snapshot.save(update_fields=["protected"])
    output.say(f"{snapshot} is {'' if snapshot.protected else 'not '}protected.")
    output.show(described(snapshot), [])
    return Code.OK


def ok(given: Given, output: Output) -> int:
    """0 ok, 1 can't tell, 2 broken, unknown or impossible here; reasons on stderr."""
    try:
        snapshot = chosen(given)
    except Ambiguous:
        raise  # bad usage
    except OperationError as error:
        return conclude(Verdict(Answer.BROKEN, (Reason.of(error),)), None, output)
    verdict = looked_at(snapshot) if at_hand(snapshot) else inquired(snapshot)
    if "trial_restore" in given and verdict.answer is not Answer.BROKEN:
        verdict = tried(snapshot, verdict, output)
    snapshot.refresh_from_db()  # a trial restore is in its row
    return conclude(snapshot.looked_at(verdict), snapshot, output)


def conclude(verdict: Verdict, snapshot: Snapshot | None, output: Output) -> int:
    uuid = snapshot.uuid if snapshot else None
    for reason in verdict.reasons:
        output.complain(reason.told(staff=True))
    output.show({"snapshot": uuid, **verdict.words()}, [verdict.answer])
    return verdict.exit


def at_hand(snapshot: Snapshot) -> bool:
    may = os.geteuid() == 0 or settings.RUNTIME == DRY_RUN
    return here(snapshot.container.node) and may


def looked_at(snapshot: Snapshot) -> Verdict:
    number = snapshot.container.ctid
    try:
        return verify(settings.NODE, number, snapshot.uuid, manifest=snapshot.manifest)
    except OSError as error:
        return Verdict(Answer.CANT_TELL, (Reason.doubt(Doubts.NOT_LOOKED_AT, why=error),))


def inquired(snapshot: Snapshot) -> Verdict:
    """Of the node's own process: it is another machine's, or we may not look."""
    container = snapshot.container
    inquiry = snapshot.ask_for_verdict()
    deadline = time.monotonic() + ANSWER_WITHIN
    while inquiry.answered is None and time.monotonic() < deadline:
        time.sleep(TICK)
        inquiry.refresh_from_db()
    if answer := inquiry.answer:
        return Verdict.read(answer)
    silent = Reason.doubt(Doubts.NODE_SILENT, node=container.node)
    return Verdict(Answer.CANT_TELL, (inquiry.as_reason if inquiry.why else silent,))


class Aside(Output):
    """Lets an operation be heard on stderr only: the answer on stdout is another."""

    def show(self, thing: Any, lines: Any) -> None:
        pass


def tried(snapshot: Snapshot, verdict: Verdict, output: Output) -> Verdict:
    """What only a trial restore can tell is told by one that succeeds."""
    if not snapshot.with_processes:
        output.complain("It has no processes, so there is nothing to try.")
        return verdict
    operation = followed(lambda: snapshot.try_restore(via=Via.PCTL), Aside(True, output.quiet))
    if operation.state == Progress.SUCCEEDED:
        return verdict.tried()
    answer = Answer.BROKEN if operation.problem in BROKEN_PROCESSES else Answer.CANT_TELL
    ended = Reason.doubt(Doubts.TRIAL_ENDED, state=operation.state)
    why = operation.as_reason if operation.why else ended
    return Verdict(answer, (why, *verdict.reasons))


def followed(request: Callable[[], Operation], output: Output) -> Operation:
    made: list[Operation] = []

    def ask() -> Operation:
        made.append(request())
        return made[0]

    follow(ask, output)
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
        raise BadValue(BadValues.NO_SNAPSHOT, word=word, ctid=container.ctid)
    if len(found) > 1:
        raise Ambiguous(BadValues.AMBIGUOUS, word=word, found=[each.uuid for each in found])
    return found[0]


def described(snapshot: Snapshot) -> dict[str, Any]:
    """What --json says of a snapshot."""
    return {**columns(snapshot), "problems": [why.cause for why in snapshot.doubts]}


def columns(snapshot: Snapshot) -> dict[str, Any]:
    names = (
        "uuid", "name", "note", "created", "with_processes", "size", "safety", "scheduled",
        "protected", "expires", "manifest", "verdict", "verified",
    )  # fmt: skip
    return {
        "ctid": snapshot.container.ctid,
        **{name: getattr(snapshot, name) for name in names},
        "reasons": snapshot.doubts_for_staff,
        "by": snapshot.by.get_username() if snapshot.by else None,
        "parent": snapshot.parent.uuid if snapshot.parent else None,
        "here": snapshot.here,
        "operation": snapshot.number,
        **snapshot.facts,
    }
