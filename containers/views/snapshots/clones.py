"""Making something new of a snapshot: another container, or a template."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from containers.forms.snapshots import CloneForm, PublishForm
from containers.models import Inquiry, InquiryKind, Snapshot
from containers.node.templates.remains import BY_WORD, MOST
from containers.views.page import Request, attempted, page, posted, record, remark
from containers.views.snapshots.line import snapshot_of

FRESH = timedelta(minutes=2)  # as long as an answer is taken for true


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid, "manage_snapshots")
    form = CloneForm(posted(request), snapshot=snapshot)
    if request.method == "POST" and form.is_valid() and (made := form.request(by=request.user)):
        for number in (ctid, made.ctid):  # it is in the history of both
            record(request, f"clone {snapshot.container} to CT {made.ctid}", ctid=number)
        remark(request, made)
        return redirect(made)
    context = {"container": snapshot.container, "snapshot": snapshot, "form": form}
    return page(request, "snapshots/clone.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid, "manage_snapshots")
    form = PublishForm(posted(request))
    if request.method == "POST" and form.is_valid():
        name, clean = form.cleaned_data["template"], form.cleaned_data["clean_groups"]
        operation, why = attempted(
            request, lambda: snapshot.publish(name, clean=clean, by=request.user)
        )
        if operation:
            what = f"publish a snapshot of CT {ctid} as {name}"
            record(request, what, ctid=ctid, kept=[*{*BY_WORD} - {*clean}])
            return redirect(operation)
        form.add_error(None, why)
    inquiry = what_stays(snapshot, request.user)
    found = {each["group"]: each for each in inquiry.answer or []}
    context = {
        "container": snapshot.container,
        "snapshot": snapshot,
        "form": form,
        "groups": [(option, found.get(option.data["value"])) for option in form["clean_groups"]],
        "inquiry": inquiry,
        "waiting": inquiry.awaited and not snapshot.container.node.away,
        "many": MOST,
    }
    status = 422 if form.errors else 200
    return page(request, "snapshots/template.html", context, parts=["groups"], status=status)


def what_stays(snapshot: Snapshot, user: User) -> Inquiry:
    """What its node was asked a moment ago, or is asked now."""
    mine = Inquiry.objects.filter(kind=InquiryKind.REMAINS, by=user, asked__gt=now() - FRESH)
    for inquiry in mine.filter(ctid=snapshot.container.ctid):
        if inquiry.args.get("snapshot") == snapshot.uuid:
            return inquiry
    return snapshot.ask_what_stays(by=user)
