"""Operations on a container: asking for one, and what was done to it so far."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from containers import policy
from containers.forms.requests import FORMS, RequestForm
from containers.models import AuditEvent, Busy, Container
from containers.views.containers import offers
from containers.views.page import Request, container_of, need, page, pager, record


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: Request, ctid: int) -> HttpResponse:
    container = container_of(request, ctid)
    if request.method == "POST":
        return create(request, container)
    context = {
        "container": container,
        "operations": pager(request, container.operations.select_related("by", "node")),
        "events": AuditEvent.objects.filter(ctid=ctid)[:50],
    }
    return page(request, "containers/history.html", context, parts=["rows"])


def create(request: Request, container: Container) -> HttpResponse:
    """POST kind=… and what its form asks; lands on the operation."""
    kind = request.POST.get("kind", "")
    if kind not in FORMS:
        raise Http404
    need(request, policy.permission_for(kind), container)
    form = FORMS[kind](request.POST, container=container)
    if not form.is_valid():
        return ask(request, container, kind, form, 422)
    if form.permission:
        need(request, form.permission, container)
    if not container.operation and (why := refusal(request, container, kind)):
        return refused(request, container, kind, why)
    try:
        operation = container.request(kind, by=request.user, reason=form.why, params=form.params)
    except Busy as busy:
        return refused(request, container, kind, f"{busy}")
    record(request, f"{kind} {container}", ctid=container.ctid, reason=form.why)
    return redirect(operation)


def refusal(request: Request, container: Container, kind: str) -> str:
    staff = request.user.is_staff
    return offers.refusal(container, kind, container.operation, staff=staff)


def refused(request: Request, container: Container, kind: str, why: str) -> HttpResponse:
    """409, with who holds the container or why its state forbids it."""
    context = {
        "container": container,
        "verb": offers.VERBS[kind],
        "why": why,
        "holder": container.operation,
    }
    return page(request, "containers/refused.html", context, status=409)


@require_safe
def new(request: Request, ctid: int, kind: str) -> HttpResponse:
    """Asks before it is done: what it does to which container, and how to leave."""
    container = container_of(request, ctid)
    if kind not in FORMS:
        raise Http404
    need(request, policy.permission_for(kind), container)
    form = FORMS[kind](container=container, initial=request.GET.dict())
    return ask(request, container, kind, form)


def ask(
    request: Request, container: Container, kind: str, form: RequestForm, status: int = 200
) -> HttpResponse:
    context = {
        "container": container,
        "verb": offers.fitted(offers.VERBS[kind], container),
        "form": form,
        "why": refusal(request, container, kind),
    }
    return page(request, "containers/ask.html", context, status=status)
