"""Operations: the list, and one beside its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from containers import permissions
from containers.kind import taking
from containers.models import Container, Operation, OperationStep, ScriptTarget
from containers.models import outcome as outcomes
from containers.node.actions import STOP, Scope
from containers.node.states import UNFINISHED, Progress, State, StepState
from containers.views import handover
from containers.views.operations import logs
from containers.views.page import Request, operation_of, page, pager
from containers.views.reinstallation import remedies, results
from containers.views.scripts import editor, lifecycle
from containers.views.scripts.addresses import address
from containers.views.search import Search

MOST_FOLLOWED = 4 << 20  # bytes of a log that a browser shows; the download has all of it


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
    lines = [Line(step, sees_node, staff, results.sentence(step, staff=staff)) for step in steps]
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
        "from": max(0, operation.log_len - MOST_FOLLOWED),
        "node_output": sees_node,
        "may_cancel": may_cancel(request, operation),
        "cancelling": cancelling(operation),
        **ways_on(request, operation),
        "foreign": stray(request, operation),
        "rescue": remedies.of(request.user, operation),
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
    def more(self) -> list[str]:
        step = self.step
        words = []
        if self.node and step.foreign:
            words.append("a file the panel did not write")
        elif self.node and step.version:
            words.append(f"version {step.version} ({step.sha256[:8]})")
        if self.staff and step.signal:
            words.append(f"ended by signal {step.signal}")
        elif self.said:
            words.append(self.said)
        elif self.staff and step.code is not None and (step.code or self.script):
            words.append(f"exit code {step.code}")
        if step.state == StepState.SKIPPED:
            return [*words, step.note or "left out"]  # older rows don't tell why
        return [*words, *([step.note] if self.staff and step.note else [])]


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


def ways_on(request: Request, operation: Operation) -> dict[str, object]:
    """What may be done about an operation that failed, while its container stands as it left it."""
    container = operation.container
    bad = operation.state in (Progress.FAILED, Progress.INTERRUPTED, Progress.CANCELLED)
    if not container or not bad or container.operations.first() != operation:
        return {}
    offered = {offer.kind.name: offer for offer in container.offers(request.user)}
    again = offered.get(operation.kind)
    stop_failed = operation.script == (Scope.OWN, STOP.name)
    return {
        "again": again if again and again.possible and not again.asking.asks else None,
        "without_stop_script": without_stop_script(request, container) if stop_failed else "",
        "script_step": script_step(request, operation),
    }


def without_stop_script(request: Request, container: Container) -> str:
    """The address of the page that asks to stop it so; empty where that is not to be had."""
    if container.state != State.RUNNING:
        return ""
    if not request.user.has_perm(f"containers.{permissions.SKIP_STOP_SCRIPT}", container):
        return ""
    kind = taking("without_stop_script")
    return f"{reverse('request', args=[container.ctid, kind.name])}?without_stop_script=1"


def stray(request: Request, operation: Operation) -> dict[str, object] | None:
    """Whose file on the node it did not begin for, for those who may import or replace it."""
    container, place = operation.container, editor.place_in(operation)
    if not place or (container and container.operations.first() != operation):
        return None
    if operation.answered:  # it was imported
        return None
    if not request.user.has_perm("containers.edit_scripts", container):
        return None
    return {"container": place.container, "url": address(place, "foreign")}


def script_step(request: Request, operation: Operation) -> dict[str, str] | None:
    """Where to edit the script that failed."""
    step = operation.steps.filter(state="failed", undo=False).first()
    place = lifecycle.PLACES.get(step.key) if step else None
    if not place or not operation.container or not step:
        return None
    if not request.user.has_perm("containers.edit_scripts", operation.container):
        return None
    target = ScriptTarget.running_for(operation.container, *place)
    version = f" v{step.version}" if step.version else ""
    return {"url": address(target), "label": f"Edit {target.short}{version}"}
