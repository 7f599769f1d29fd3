"""The events of a runner's journal, made into rows."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from containers.models import Container, Operation
from containers.node.spool import Event
from containers.node.states import Progress, State, StepState
from containers.worker.step_rows import StepRows, Values

LABEL, NOTE = 128, 255  # characters that their columns hold


def record(rows: StepRows, events: Sequence[Event]) -> None:
    """Make rows of events, in the caller's transaction. Events of kinds not known are skipped.

    All that is new of the steps comes before the end, which has the last word on the state.
    """
    ends = [event for event in events if event["ev"] == "end"]
    facts([event for event in events if event["ev"] == "fact"], rows.operation)
    for event in events:
        kind = event["ev"]
        if kind in OF_STEP:
            rows.change(event["i"], OF_STEP[kind](event))
        elif kind == "plan":
            plan(rows, event)
        elif kind == "skipped":
            rows.skip(event["i"], event.get("why", ""))
        elif kind == "state" and not (ends and ends[-1].get("state")):
            state(rows.operation, event)
    rows.write()
    for event in ends:
        end(rows.operation, event)


def plan(rows: StepRows, event: Event) -> None:
    for i, step in enumerate(event["steps"]):
        values = {"key": step["step"], "label": step["label"][:LABEL], "where": step["where"]}
        rows.plan(i, values)


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


def facts(events: Sequence[Event], operation: Operation) -> None:
    container = Container.objects.filter(pk=operation.container_id or 0).first() if events else None
    if container:
        told = [(event["key"], event["value"]) for event in events]
        operation.of_kind.took(operation, container, told)


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
    "ended": ended,
    "script": script,
}


def when(event: Event) -> datetime:
    return datetime.fromtimestamp(event["t"], UTC)
