"""Making something new of a snapshot: another container, or a template."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from containers.forms.snapshots import CloneForm, PublishForm
from containers.views.page import Request, attempted, page, posted, record
from containers.views.snapshots.line import snapshot_of


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid, "manage_snapshots")
    form = CloneForm(posted(request), snapshot=snapshot)
    if request.method == "POST" and form.is_valid() and (made := form.request(by=request.user)):
        for number in (ctid, made.ctid):  # it is in the history of both
            record(request, f"clone {snapshot.container} to CT {made.ctid}", ctid=number)
        return redirect(made)
    context = {"container": snapshot.container, "snapshot": snapshot, "form": form}
    return page(request, "snapshots/clone.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid, "manage_snapshots")
    form = PublishForm(posted(request))
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["template"]
        operation, why = attempted(request, lambda: snapshot.publish(name, by=request.user))
        if operation:
            record(request, f"publish a snapshot of CT {ctid} as {name}", ctid=ctid)
            return redirect(operation)
        form.add_error(None, why)
    context = {"container": snapshot.container, "snapshot": snapshot, "form": form}
    return page(request, "snapshots/template.html", context, status=422 if form.errors else 200)
