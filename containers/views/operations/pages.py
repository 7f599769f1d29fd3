"""Operations: the list, and one beside its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from containers.models import Operation, OperationStep, ScriptTarget
from containers.models import outcome as outcomes
from containers.node.states import UNFINISHED, Progress, StepState
from containers.views import handover, ways_out
from containers.views.operations import logs
from containers.views.page import Request, operation_of, page, pager
from containers.views.reinstallation import results
from containers.views.scripts import lifecycle
from containers.views.scripts.addresses import address
from containers.views.search import Search


@require_safe
def index(request: Request) -> HttpResponse:
    mine = Operation.objects.visible_to(request.user)
    found: QuerySet[Operation] = mine.select_related("by", "node", "container")
    if (state := request.GET.get("state")) == "unfinished":
        found = found.filter(state__in=UNFINISHED)
    elif state in list(Progress):
        found = found.filter(state=state)
    search = Search.of(request)
    found = search.narrow(found, "kind", "by__username", number="ctid")
    context = {
        "operations": pager(request, found),
        "progress": list(Progress),
        "search": search,
    }
    return page(request, "operations/index.html", context, parts=["rows"])


@require_safe
def show(request: Request, pk: int) -> HttpResponse:
    operation = operation_of(request, pk)
    staff = request.user.is_staff
    sees_node = request.user.has_perm("containers.view_node_output", operation)
    steps = list(operation.steps.all())
    lines = [
        Line(step, sees_node, staff, results.sentence(step, staff=staff), versions(request, step))
        for step in steps
    ]
    password = "" if request.htmx else handover.taken(request, operation)

    def reached(line: Line) -> bool:
        return not operation.done or line.step.state != StepState.PENDING

    begun = [line for line in lines if line.shown and line.step.state != StepState.PENDING]
    context = {
        "operation": operation,
        "container": operation.container,
        "steps": [line for line in lines if line.shown and not line.step.undo and reached(line)],
        "unreached": sum(not reached(line) for line in lines),
        "undo": [line for line in lines if line.step.undo],
        "duration": worded(operation.started, operation.finished),
        "outcome": outcome(operation, staff=staff),
        "aloud": aloud(operation, lines),
        "waiting": waiting(operation),
        "next": operation.of_kind.follow_up(operation),
        "password": password,
        "command": operation.of_kind.command_line(operation),
        "from": max(0, operation.log_len - logs.MOST_FOLLOWED),
        "node_output": sees_node,
        "may_cancel": may_cancel(request, operation),
        "cancelling": cancelling(operation),
        "ways": ways_out.of(request.user, operation) if ended_badly(operation) else None,
        "result": results.of(operation),
        "at": len(begun),
        "reassurance": reassurance(operation),
    }
    if not request.htmx:
        context["tail"] = logs.tail(operation, request.user)
    response = page(request, "operations/show.html", context, parts=["progress"])
    return handover.forget(request, response, operation) if password else response


@dataclass(frozen=True)
class Line:
    """A step as a line of the page.

    node: whether what happens on the node is shown, as which text of a script ran. staff: whether
    exit codes and the node's own words are.
    """

    step: OperationStep
    node: bool
    staff: bool
    said: str = ""  # of a hook, in place of its exit code
    versions: str = ""  # where those of its script are, for those who may see them

    @property
    def script(self) -> bool:
        return self.step.key in lifecycle.PLACES

    @property
    def shown(self) -> bool:
        """A script that nobody expects, as premount, is no line when there is none."""
        place = lifecycle.PLACES.get(self.step.key)
        return not place or place in lifecycle.SIX or self.step.state != StepState.SKIPPED

    @property
    def duration(self) -> str:
        return worded(self.step.began, self.step.ended)

    @property
    def version(self) -> str:
        """Which text of a script ran."""
        step = self.step
        if not self.node or step.foreign or not step.version:
            return ""
        return f"version {step.version} ({step.sha256[:8]})"

    @property
    def more(self) -> list[str]:
        step = self.step
        words = []
        if self.node and step.foreign:
            words.append("a file the panel did not write")
        if self.staff and step.signal:
            words.append(f"ended by signal {step.signal}")
        elif self.said:
            words.append(self.said)
        elif self.staff and step.code is not None and (step.code or self.script):
            words.append(f"exit code {step.code}")
        if step.state == StepState.SKIPPED:
            return [*words, step.note or "left out"]  # older rows don't tell why
        return [*words, *([step.note] if self.staff and step.note else [])]


def versions(request: Request, step: OperationStep) -> str:
    """The address of the versions of the script that a step ran; empty for who may not see them."""
    place, container = lifecycle.PLACES.get(step.key), step.operation.container
    if not place or not container:
        return ""
    if not request.user.has_perm("containers.edit_scripts", container):
        return ""
    return address(ScriptTarget.running_for(container, *place), "versions")


@dataclass(frozen=True)
class Outcome:
    level: str
    text: str


ENDINGS = {
    Progress.FAILED: "It failed.",
    Progress.CANCELLED: "It was cancelled.",
    Progress.INTERRUPTED: "It was interrupted.",
}


def outcome(operation: Operation, *, staff: bool) -> Outcome | None:
    """What failed, what was undone and the state now, in one sentence or three."""
    if operation.state not in ENDINGS:
        return None
    cancelled = operation.state == Progress.CANCELLED
    said = outcomes.sentences(operation, staff=staff)
    if not (said and cancelled):
        alarm = operation.of_kind.alarm
        said = [f"{alarm}." if alarm else ENDINGS[Progress(operation.state)], *said]
    return Outcome("warning" if cancelled else "error", " ".join(said))


def ended_badly(operation: Operation) -> bool:
    return operation.state in ENDINGS


def aloud(operation: Operation, lines: list[Line]) -> str:
    """How far it is, for those who listen to the page."""
    step = next((line.step for line in lines if line.step.state == StepState.RUNNING), None)
    doing = f", {step.label}" if step else ""
    return f"{operation.label}: {operation.state}{doing}."


def waiting(operation: Operation) -> str:
    if operation.state == Progress.CANCELLING:
        return "The running step is being ended."
    if operation.state != Progress.QUEUED:
        return ""
    if operation.node.away:
        return f"It waits because node {operation.node} hasn't reported for a while."
    return f"It waits for node {operation.node}."


def reassurance(operation: Operation) -> str:
    """What may be relied on while it is under way."""
    if operation.done or not operation.container:
        return ""
    return operation.of_kind.reassurance.format(name=operation.container.hostname)


def worded(began: datetime | None, ended: datetime | None) -> str:
    if not began or not ended:
        return ""
    seconds = (ended - began).total_seconds()
    if seconds < 1:
        return f"{round(seconds * 1000) or '< 1'} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def may_cancel(request: Request, operation: Operation) -> bool:
    can = operation.state in (Progress.QUEUED, Progress.RUNNING)
    return can and request.user.has_perm("containers.cancel_operation", operation)


def cancelling(operation: Operation) -> str:
    """What its Cancel button does."""
    if operation.state == Progress.QUEUED:
        return "Removes it from the queue; nothing has been done yet."
    return "Ends the running step and undoes the steps before it."
