"""The events of a runner's journal, made into rows."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from django.db.models import Case, Value, When

from containers.models import Container, Operation, OperationStep
from containers.node.spool import Event
from containers.node.states import Progress, State, StepState
from containers.worker import aftermath

LABEL, NOTE = 128, 255  # characters that their columns hold


def record(operation: Operation, events: Iterable[Event]) -> None:
    """Make rows of events, in the caller's transaction. Events of kinds not known are skipped."""
    for event in events:
        if event["ev"] in RECORD:
            RECORD[event["ev"]](operation, event)


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


def began(operation: Operation, event: Event) -> None:
    values = {
        "key": event["step"],
        "label": event["label"][:LABEL],
        "where": event["where"],
        "undo": event["undo"],
        "state": StepState.RUNNING,
        "began": when(event),
        "offset": event["off"],
    }
    if not operation.steps.filter(number=event["i"]).update(**values):  # an undo step: not planned
        operation.steps.create(number=event["i"], **values)


def skipped(operation: Operation, event: Event) -> None:
    operation.steps.filter(number=event["i"]).update(state=StepState.SKIPPED)


def ended(operation: Operation, event: Event) -> None:
    failed = bool(event["error"])
    operation.steps.filter(number=event["i"]).update(
        state=Case(When(undo=True, then=Value(UNDO_ENDED[failed])), default=Value(ENDED[failed])),
        code=event["code"],
        signal=event["signal"],
        note=event["error"][:NOTE],
        ended=when(event),
        end_offset=event["off"],
    )


ENDED = {False: StepState.DONE, True: StepState.FAILED}
UNDO_ENDED = {False: StepState.UNDONE, True: StepState.UNDO_FAILED}


def script(operation: Operation, event: Event) -> None:
    operation.steps.filter(number=event["i"]).update(
        sha256=event["sha256"], version=event["version"], foreign=event["foreign"]
    )


def fact(operation: Operation, event: Event) -> None:
    container = Container.objects.filter(operations=operation).first()
    if container:
        aftermath.take(operation, container, event["key"], event["value"])


def state(operation: Operation, event: Event) -> None:
    changed = Container.objects.filter(operations=operation).exclude(state=event["state"])
    changed.update(state=event["state"], state_since=when(event))


def end(operation: Operation, event: Event) -> None:
    operation.end(
        Progress(event["progress"]),
        code=event["code"],
        error=event["error"] or "",
        state=State(event["state"]) if event.get("state") else None,
        at=when(event),
    )
    operation.refresh_from_db(fields=["state", "code", "error", "finished"])
    aftermath.of(operation)


RECORD: dict[str, Callable[[Operation, Event], None]] = {
    "plan": plan,
    "began": began,
    "skipped": skipped,
    "ended": ended,
    "script": script,
    "fact": fact,
    "state": state,
    "end": end,
}


def when(event: Event) -> datetime:
    return datetime.fromtimestamp(event["t"], UTC)
