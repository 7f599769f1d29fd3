"""The events of a runner's journal, made into rows."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, Value, When

from containers.models import Container, Operation, OperationStep
from containers.node.spool import Event
from containers.node.states import Progress, State, StepState

Values = dict[str, Any]
LABEL, NOTE = 128, 255  # characters that their columns hold


def record(operation: Operation, events: Iterable[Event]) -> None:
    """Make rows of events, in the caller's transaction. Events of kinds not known are skipped.

    What is new of a step is one change of its row, and all before the end comes before it.
    """
    steps: dict[int, Values] = {}
    for event in events:
        kind = event["ev"]
        if kind in OF_STEP:
            steps.setdefault(event["i"], {}).update(OF_STEP[kind](event))
        elif kind in RECORD:
            if kind == "end":
                write(operation, steps)
            RECORD[kind](operation, event)
    write(operation, steps)


def write(operation: Operation, steps: dict[int, Values]) -> None:
    """Bring what was noted to the rows, and forget it."""
    skipped = [number for number, values in steps.items() if values == SKIPPED]
    if skipped:
        operation.steps.filter(number__in=skipped).update(**SKIPPED)
    for number, values in steps.items():
        if values != SKIPPED:
            values |= how_it_ended(values)
            if not operation.steps.filter(number=number).update(**values):
                operation.steps.create(number=number, **values)  # an undo step: not planned
    steps.clear()


def how_it_ended(values: Values) -> Values:
    """Undo steps have words of their own; which it is may have been said long before."""
    state = values.get("state")
    if state not in UNDO:
        return {}
    if "undo" in values:
        return {"state": UNDO[state] if values["undo"] else state}
    return {"state": Case(When(undo=True, then=Value(UNDO[state])), default=Value(state))}


UNDO = {StepState.DONE: StepState.UNDONE, StepState.FAILED: StepState.UNDO_FAILED}
SKIPPED: Values = {"state": StepState.SKIPPED}


def plan(operation: Operation, event: Event) -> None:
    OperationStep.objects.bulk_create(
        [
            OperationStep(
                operation=operation,
                number=i,
                key=step["step"],
                label=step["label"][:LABEL],
                where=step["where"],
            )
            for i, step in enumerate(event["steps"])
        ],
        ignore_conflicts=True,  # a recovery may tell the plan once more
    )


def began(event: Event) -> Values:
    return {
        "key": event["step"],
        "label": event["label"][:LABEL],
        "where": event["where"],
        "undo": event["undo"],
        "state": StepState.RUNNING,
        "began": when(event),
        "offset": event["off"],
    }


def ended(event: Event) -> Values:
    return {
        "state": StepState.FAILED if event["error"] else StepState.DONE,
        "code": event["code"],
        "signal": event["signal"],
        "note": event["error"][:NOTE],
        "ended": when(event),
        "end_offset": event["off"],
    }


def script(event: Event) -> Values:
    return {
        "sha256": event["sha256"],
        "version": event["version"],
        "foreign": event["foreign"],
    }


def fact(operation: Operation, event: Event) -> None:
    container = Container.objects.filter(pk=operation.container_id or 0).first()
    if container:
        operation.of_kind.took(operation, container, event["key"], event["value"])


def state(operation: Operation, event: Event) -> None:
    changed = Container.objects.filter(pk=operation.container_id or 0).exclude(state=event["state"])
    changed.update(state=event["state"], state_since=when(event))


def end(operation: Operation, event: Event) -> None:
    operation.end(
        Progress(event["progress"]),
        code=event["code"],
        error=event["error"] or "",
        problem=event.get("problem", ""),
        details={**event.get("details", {}), **lost(event)},
        state=State(event["state"]) if event.get("state") else None,
        at=when(event),
    )


def lost(event: Event) -> dict[str, Any]:
    """Bytes of output for which there was no room."""
    return {"lost": event["lost"]} if event.get("lost") else {}


OF_STEP: dict[str, Callable[[Event], Values]] = {
    "began": began,
    "skipped": lambda event: SKIPPED,
    "ended": ended,
    "script": script,
}
RECORD: dict[str, Callable[[Operation, Event], None]] = {
    "plan": plan,
    "fact": fact,
    "state": state,
    "end": end,
}


def when(event: Event) -> datetime:
    return datetime.fromtimestamp(event["t"], UTC)
