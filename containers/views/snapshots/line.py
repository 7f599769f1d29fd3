"""A container's snapshots: the line of them, making, verifying, protecting and deleting one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from containers.forms.snapshots import SnapshotForm
from containers.kind import KINDS, at_page
from containers.models import (
    Container,
    Inquiry,
    InquiryKind,
    Operation,
    Schedule,
    Snapshot,
)
from containers.node.states import Progress
from containers.permissions import SNAPSHOT
from containers.views.page import Request, attempted, container_of, page, posted, record
from containers.views.sign_in.confirmation import confirmed

VERDICT_WITHIN = timedelta(minutes=5)  # that a verdict is waited for


@dataclass(frozen=True)
class Entry:
    """One in the line, the newest first. after: the one it comes from, unless that is the next."""

    snapshot: Snapshot
    here: bool
    after: Snapshot | None
    verifying: bool
    unanswered: Inquiry | None  # that it could not be verified by


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: Request, ctid: int) -> HttpResponse:
    """POST makes one."""
    container = container_of(request, ctid, "snapshot_container")
    form = SnapshotForm(posted(request), container=container)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            operation, why = attempted(request, lambda: form.request(by=request.user))
            if operation:
                record(
                    request,
                    f"take a snapshot of {container}",
                    ctid=ctid,
                    name=form.cleaned_data["name"],
                )
                return redirect(operation)
            form.add_error(None, why)
            status = 409
    entries = line(container)
    context = {
        "container": container,
        "form": form,
        "entries": entries,
        "verifying": any(entry.verifying for entry in entries),
        "schedule": Schedule.objects.filter(container=container).first(),
        "off": container.node.facts.get("snapshots_off", ""),
        "left": None if request.user.is_staff else max(0, Snapshot.left(container)),
        "why": container.not_now(at_page("snapshots"), request.user),
        "operation": container.operation,
        "failed": failure(container),
    }
    return page(request, "snapshots/index.html", context, parts=["line"], status=status)


def line(container: Container) -> list[Entry]:
    snapshots = list(container.snapshots.select_related("by", "parent", "container"))
    before = [*snapshots[1:], None]
    asked = asked_of(container)
    return [
        Entry(
            snapshot,
            snapshot.pk == container.here_id,
            snapshot.parent if snapshot.parent != older else None,
            *waiting(asked.get(snapshot.uuid), snapshot),
        )
        for snapshot, older in zip(snapshots, before, strict=False)
    ]


def asked_of(container: Container) -> dict[str, Inquiry]:
    """The last inquiry for each of its snapshots."""
    recent = Inquiry.objects.filter(
        node=container.node,
        kind=InquiryKind.VERDICT,
        ctid=container.ctid,
        asked__gt=now() - VERDICT_WITHIN,
    )
    return {inquiry.args["snapshot"]: inquiry for inquiry in recent.order_by("pk")}


def waiting(inquiry: Inquiry | None, snapshot: Snapshot) -> tuple[bool, Inquiry | None]:
    if inquiry is None:
        return False, None
    if inquiry.error and not (snapshot.verified and snapshot.verified > inquiry.asked):
        return False, inquiry
    return inquiry.answered is None, None


def failure(container: Container) -> Operation | None:
    """The last thing that was to be done with one, when that failed."""
    last = container.operations.filter(kind__in=on_snapshots()).first()
    return last if last and last.state in (Progress.FAILED, Progress.INTERRUPTED) else None


def on_snapshots() -> list[str]:
    """The kinds that whoever may use snapshots may ask for."""
    return [name for name, kind in KINDS.items() if kind.permission is SNAPSHOT]


def snapshot_of(
    request: Request, ctid: int, uuid: UUID, permission: str = "snapshot_container"
) -> Snapshot:
    container = container_of(request, ctid, permission)
    snapshot: Snapshot = get_object_or_404(
        container.snapshots.select_related("by", "parent"), uuid=f"{uuid}"
    )
    snapshot.container = container
    return snapshot


@require_safe
def show(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid)
    entry = next(each for each in line(snapshot.container) if each.snapshot == snapshot)
    context = {"container": snapshot.container, "snapshot": snapshot, "entry": entry}
    return page(request, "snapshots/show.html", context, parts=["facts"])


def erases(request: Request, ctid: int, uuid: UUID) -> bool:
    return at_page("snapshot_deletion").erases({})


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(erases)
def delete(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid)
    container, status = snapshot.container, 200
    why = container.not_now(at_page("snapshot_deletion"), request.user)
    if snapshot.protected:
        why = "It is protected. The hosting staff can unprotect it on its page."
    if request.method == "POST":
        status = 409
        if not why:
            operation, why = attempted(request, lambda: snapshot.delete_from_node(by=request.user))
            if operation:
                record(request, f"delete snapshot {snapshot} of {container}", ctid=ctid)
                return redirect(operation)
    context = {"container": container, "snapshot": snapshot, "why": why}
    return page(request, "snapshots/deletion.html", context, status=status)


@require_POST
def verify(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    snapshot = snapshot_of(request, ctid, uuid)
    node = snapshot.container.node
    if waiting(asked_of(snapshot.container).get(snapshot.uuid), snapshot)[0]:
        return redirect("snapshots", ctid)  # it takes the node long enough as it is
    snapshot.ask_for_verdict(by=request.user)
    if node.away:
        messages.warning(
            request, f"Node {node} hasn't reported for a while, so the answer may take long."
        )
    return redirect("snapshots", ctid)


@require_POST
def try_restore(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    """Lands on the operation."""
    snapshot = snapshot_of(request, ctid, uuid)
    why = no_trial(request, snapshot)
    if not why:
        operation, why = attempted(request, lambda: snapshot.try_restore(by=request.user))
        if operation:
            what = f"try a restore of snapshot {snapshot} of {snapshot.container}"
            record(request, what, ctid=ctid)
            return redirect(operation)
    messages.warning(request, f"The snapshot was not tried. {why}")
    return redirect("snapshots", ctid)


def no_trial(request: Request, snapshot: Snapshot) -> str:
    container = snapshot.container
    if not snapshot.with_processes:
        return "It has no processes, so there is nothing to try."
    return container.not_now(at_page("trial"), request.user)


@require_POST
def protect(request: Request, ctid: int, uuid: UUID) -> HttpResponse:
    """protected=1, or nothing to take that away."""
    snapshot = snapshot_of(request, ctid, uuid, "manage_snapshots")
    snapshot.protected = bool(request.POST.get("protected"))
    snapshot.save(update_fields=["protected"])
    did = "protect" if snapshot.protected else "unprotect"
    record(request, f"{did} snapshot {snapshot} of {snapshot.container}", ctid=ctid)
    return redirect(snapshot)
