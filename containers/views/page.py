"""How a page is answered: whole, or only the part that htmx swaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from containers import permissions
from containers.kind import KINDS
from containers.models import AuditEvent, Busy, Container, Operation, Via
from containers.models.audit import Actor
from containers.models.remark import remarks
from containers.node.errors import OperationError
from containers.node.states import Progress

PER_PAGE = 25


class Request(HttpRequest):
    """A request of somebody who has signed in."""

    user: User
    htmx: HtmxDetails


def page(
    request: Request,
    template: str,
    context: dict[str, Any],
    *,
    parts: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render a template, or that of its partials which is named as the element htmx fills."""
    part = request.htmx.target or ""
    if part in parts and not request.htmx.history_restore_request:
        template = f"{template}#{part}"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response["Cache-Control"] = "no-store"
    return response


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also when nothing at all was sent."""
    return request.POST if request.method == "POST" else None


def pager(
    request: HttpRequest, found: QuerySet[Any] | Sequence[Any], size: int = PER_PAGE
) -> Page[Any]:
    return Paginator(found, size).get_page(request.GET.get("page"))


def need(request: Request, permission: str, thing: Model | None = None) -> None:
    """Raise PermissionDenied, with a sentence, unless the user has the permission."""
    if not request.user.has_perm(f"containers.{permission}", thing):
        raise PermissionDenied(denial(permission))


def denial(name: str) -> str:
    """The sentence for those who have not got a permission."""
    of_kinds = {kind.permission.name: kind.permission for kind in KINDS.values()}
    permission = permissions.BY_NAME.get(name) or of_kinds.get(name)
    return permission.denial if permission else ""


def container_of(request: Request, ctid: int, permission: str = "view_container") -> Container:
    """The container, 404 for one that isn't the user's to see."""
    mine = Container.objects.visible_to(request.user).select_related("node", "template", "owner")
    container: Container = get_object_or_404(mine, ctid=ctid)
    need(request, permission, container)
    return container


def operation_of(request: Request, pk: int, permission: str = "view_operation") -> Operation:
    mine = Operation.objects.visible_to(request.user)
    related = mine.select_related("container__owner", "container__node", "node", "by")
    operation: Operation = get_object_or_404(related, pk=pk)
    need(request, permission, operation)
    return operation


def attempted(request: Request, ask: Callable[[], Operation]) -> tuple[Operation | None, str]:
    """The operation that was asked for; or None and why not, as a sentence."""
    try:
        return ask(), ""
    except Busy as busy:
        return None, held(request, busy)
    except OperationError as error:
        return None, error.told(staff=request.user.is_staff)


def held(request: Request, busy: Busy) -> str:
    """Who is in the way, how far that is, and what to do about it."""
    said = busy.told(staff=request.user.is_staff)
    if busy.holder is None:
        return f"{said} Try again in a moment."
    if busy.holder.state == Progress.CANCELLING:
        return f"{said} Wait until it has ended."
    return f"{said} Wait until it has ended, or cancel it on its page."


def remark(request: Request, operation: Operation) -> None:
    """Say what is unusual about what it brings its container."""
    for said in remarks(operation, by=request.user):
        messages.warning(request, said)


def record(request: Request, what: str, *, ctid: int | None = None, **details: Any) -> AuditEvent:
    return AuditEvent.record(what, ctid=ctid, **actor(request), **details)


def actor(request: Request) -> Actor:
    address = request.META.get("REMOTE_ADDR") or None
    return {"by": request.user, "via": Via.BROWSER, "address": address}
