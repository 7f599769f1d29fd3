"""Putting a container back to a snapshot: what is lost by it is said before."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from containers.forms.snapshots import RestoreForm
from containers.kind import at_page, lacking
from containers.models import Snapshot
from containers.models.snapshot import SAFETY_KEPT
from containers.node.states import State
from containers.views.page import Request, attempted, page, posted, record
from containers.views.sign_in.confirmation import confirmed
from containers.views.snapshots.line import line, snapshot_of


def erases(request: Request, ctid: int, uuid: UUID) -> bool:
    form = RestoreForm(request.POST, snapshot=snapshot_of(request, ctid, uuid))
    return form.is_valid() and at_page("restoration").erases(form.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(erases)
def new(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    """POST does it."""
    snapshot = snapshot_of(request, ctid, uuid)
    container, status = snapshot.container, 200
    form = RestoreForm(posted(request), snapshot=snapshot)
    why = refusal(request, snapshot)
    if request.method == "POST":
        status = 409 if why else 422
        if form.is_valid() and not why:
            operation, why = attempted(request, lambda: form.request(by=request.user))
            if operation:
                record(request, f"restore {container} to snapshot {snapshot}", ctid=ctid)
                return redirect(operation)
            status = 409
    since = container.operations.filter(requested__gt=snapshot.created)
    context = {
        "container": container,
        "snapshot": snapshot,
        "entry": next(each for each in line(container) if each.snapshot == snapshot),
        "form": form,
        "why": why,
        "off": container.node.facts.get("snapshots_off", ""),
        "since": since.exclude(kind__in=lacking("changes"))[:10],
        "until": now() + SAFETY_KEPT,
        "runs": container.state == State.RUNNING,
    }
    return page(request, "snapshots/restoration.html", context, status=status)


def refusal(request: Request, snapshot: Snapshot) -> str:
    container = snapshot.container
    if container.state == State.SUSPENDED:
        return "The container is suspended. Resume it or start it afresh first."
    if container.disabled and snapshot.with_processes:
        return "The container is disabled, so it can't be started."
    return container.not_now(at_page("restoration"), request.user)
