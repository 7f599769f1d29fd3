"""Putting a container back to a snapshot: what is lost by it is said before."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
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
from containers.views.sizes import worded
from containers.views.snapshots.line import line, snapshot_of


def erases(request: Request, ctid: int, uuid: UUID) -> bool:
    form = RestoreForm(request.POST, snapshot=snapshot_of(request, ctid, uuid), by=request.user)
    return form.is_valid() and at_page("restoration").erases(form.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(erases)
def new(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    """POST does it."""
    snapshot = snapshot_of(request, ctid, uuid)
    container, status = snapshot.container, 200
    form = RestoreForm(posted(request), snapshot=snapshot, by=request.user)
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
        "changes": changes(snapshot, request.user),
        "since": since.exclude(kind__in=lacking("changes"))[:10],
        "until": now() + SAFETY_KEPT,
        "runs": container.state == State.RUNNING,
    }
    return page(request, "snapshots/restoration.html", context, status=status)


def changes(snapshot: Snapshot, user: User) -> list[dict[str, str]]:
    """What of its settings is not as it was then, in words; stays: whatever is chosen."""
    container = snapshot.container
    found = [
        {
            "label": each.setting.label,
            "then": worded(each.setting, each.then),
            "now": worded(each.setting, each.now),
            "note": "" if each.may(user) else "stays as it is now",
        }
        for each in snapshot.changed_since()
    ]
    template = f"{container.template or ''}"
    if snapshot.template_then and snapshot.template_then != template:
        note = "comes back with the disk"
        found.insert(
            0, {"label": "Template", "then": snapshot.template_then, "now": template, "note": note}
        )
    return found


def refusal(request: Request, snapshot: Snapshot) -> str:
    container = snapshot.container
    if container.state == State.SUSPENDED:
        return "The container is suspended. Resume it or start it afresh first."
    if container.disabled and snapshot.with_processes:
        return "The container is disabled, so it can't be started."
    return container.not_now(at_page("restoration"), request.user)
