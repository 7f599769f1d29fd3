"""How an operation ended, in sentences: what failed, what was undone, how the container is now."""

from __future__ import annotations

from collections.abc import Iterator

from containers.models.operation import Operation
from containers.node import problems
from containers.node.problems import STAFF_LOOK
from containers.node.states import Progress, State, StepState

FOR_STAFF = {State.BROKEN: "without a private area", State.MOUNTED: "mounted, but not running"}
FOR_CUSTOMERS = {State.BROKEN: "without its files", State.MOUNTED: "not running"}


def sentences(operation: Operation, *, staff: bool) -> list[str]:
    """Of one that did not succeed; none when there is nothing to say."""
    failure = operation.told(staff=staff)
    if not operation.problem:  # of an older version, whose sentence has all of it
        return [failure] if failure else []
    more = (undone, now, remains, lost)
    return [failure, *(said for each in more for said in each(operation, staff))]


def undone(operation: Operation, staff: bool) -> Iterator[str]:
    undos = [step for step in operation.steps.all() if step.undo]
    stuck = next((step for step in undos if step.state == StepState.UNDO_FAILED), None)
    labels = dict.fromkeys(step.label for step in undos if step.state == StepState.UNDONE)
    if labels:
        yield f"Undone: {', '.join(labels)}." if staff else "What it had done was undone."
    if stuck and staff:
        yield f"Undoing it got stuck: it could not {stuck.label}."
    elif stuck:
        yield f"Not everything could be undone. {STAFF_LOOK}"
    told = operation.of_kind.alarm  # it is no step that has failed
    if not undos and not told and operation.state == Progress.FAILED and begun(operation):
        yield "Nothing was undone."


def now(operation: Operation, staff: bool) -> Iterator[str]:
    """An operation that did not begin has changed nothing, and its refusal names the state."""
    if begun(operation) and operation.container:
        state = State(operation.container.state)
        yield f"The container is {(FOR_STAFF if staff else FOR_CUSTOMERS).get(state, state)} now."


def begun(operation: Operation) -> bool:
    return any(step.began for step in operation.steps.all())


def remains(operation: Operation, staff: bool) -> Iterator[str]:
    """What could not be brought back, where it is kept, and what to do."""
    if cause := operation.details.get("remains"):
        tell = problems.for_staff if staff else problems.for_customers
        yield tell(cause["problem"], cause["details"])


def lost(operation: Operation, staff: bool) -> Iterator[str]:
    if staff and (bytes := operation.details.get("lost")):
        yield f"{bytes} bytes of output found no room in the log."
