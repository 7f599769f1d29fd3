"""Operations on a container: asking for one, and what was done to it so far."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from containers.forms.requests import RequestForm
from containers.kind import KINDS, Kind
from containers.models import AuditEvent, Busy, Container, Operation
from containers.models.offer import Offer
from containers.views.page import Request, container_of, held, need, page, pager, record
from containers.views.sign_in.confirmation import confirmed


def erases(request: Request, ctid: int) -> bool:
    """Whether that is asked for: as the form reads it, which does nothing unless it is valid."""
    container = container_of(request, ctid)
    kind = asked_for(request, container, request.POST.get("kind", ""))
    form = RequestForm(request.POST, kind=kind, container=container)
    return form.is_valid() and kind.erases(form.params)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(erases)
def index(request: Request, ctid: int) -> HttpResponse:
    container = container_of(request, ctid)
    if request.method == "POST":
        return create(request, container)
    events = AuditEvent.objects.filter(ctid=ctid)
    if not request.user.is_staff:  # an earlier container with this number was somebody else's
        events = events.filter(container=container)
    context = {
        "container": container,
        "operations": pager(request, container.operations.select_related("by", "node")),
        "events": events[:50],
    }
    return page(request, "containers/history.html", context, parts=["rows"])


def create(request: Request, container: Container) -> HttpResponse:
    """POST kind=… and what its form asks; lands on the operation."""
    kind = asked_for(request, container, request.POST.get("kind", ""))
    form = RequestForm(request.POST, kind=kind, container=container)
    if not form.is_valid():
        return ask(request, container, form, 422)
    for permission in form.permissions:
        need(request, permission.name, container)
    if not container.operation and (why := container.not_now(kind, request.user)):
        return refused(request, container, kind, why)
    try:
        operation = container.request(
            kind.name, by=request.user, reason=form.why, params=form.params
        )
    except Busy as busy:
        return refused(request, container, kind, held(request, busy))
    said = {"reason": form.why}
    if command := kind.command_line(operation):
        said["command"] = command  # the line itself may be too short for all of it
    record(request, did(kind, container, operation), ctid=container.ctid, **said)
    return redirect(operation)


def did(kind: Kind, container: Container, operation: Operation) -> str:
    if command := kind.command_line(operation):
        return f"run in {container}: {command}"
    return kind.deed(container)


def asked_for(request: Request, container: Container, name: str) -> Kind:
    """The kind that a form of this page can ask for. Raises Http404, PermissionDenied."""
    kind = KINDS.get(name)
    if kind is None or not kind.requested_by_form:
        raise Http404
    need(request, kind.permission.name, container)
    return kind


def refused(request: Request, container: Container, kind: Kind, why: str) -> HttpResponse:
    """409, with who holds the container or why its state forbids it."""
    context = {"container": container, "kind": kind, "why": why, "holder": container.operation}
    return page(request, "containers/refused.html", context, status=409)


@require_safe
def new(request: Request, ctid: int, kind: str) -> HttpResponse:
    """Asks before it is done: what it does to which container, and how to leave."""
    container = container_of(request, ctid)
    asked = asked_for(request, container, kind)
    form = RequestForm(kind=asked, container=container, initial=request.GET.dict())
    return ask(request, container, form)


def ask(
    request: Request, container: Container, form: RequestForm, status: int = 200
) -> HttpResponse:
    kind = form.kind
    for param in form.asked:
        if param.permission and not request.user.has_perm(
            f"containers.{param.permission}", container
        ):
            del form.fields[param.name]  # not theirs to choose
    context = {
        "container": container,
        "offer": Offer(kind, kind.asking(container), container.not_now(kind, request.user)),
        "title": kind.title(container),
        "form": form,
    }
    return page(request, "containers/ask.html", context, status=status)
