"""A system that a reinstallation replaced: how long it is kept, and putting it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from containers.kind import at_page
from containers.models import Busy, Container, Node, ReplacedSystem
from containers.models.replaced_system import undo_until
from containers.node.actions import STOP
from containers.node.states import State
from containers.views.page import Request, container_of, held, need, page, record

LOW = 0.1  # of a node's disk


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: Request, ctid: int, number: int) -> HttpResponse:
    """POST puts it back."""
    container = container_of(request, ctid, "reinstall_container")
    replaced = get_object_or_404(container.replaced_systems.all(), number=number)
    why, status = container.not_now(at_page("replaced"), request.user), 200
    if request.method == "POST":
        if not why:
            try:
                return put_back(request, container, replaced)
            except Busy as busy:
                why = held(request, busy)
        status = 409
    context = {
        "container": container,
        "replaced": replaced,
        "why": why,
        "may_skip": has_stop_script(container)
        and request.user.has_perm("containers.reinstall_without_stop_script", container),
        "until": max(filter(None, (replaced.until, undo_until()))),
    }
    return page(request, "reinstallation/put_back.html", context, status=status)


def put_back(request: Request, container: Container, replaced: ReplacedSystem) -> HttpResponse:
    params: dict[str, Any] = {}
    if "without_stop_script" in request.POST:
        need(request, "reinstall_without_stop_script", container)
        params["without_stop_script"] = True
    operation = replaced.put_back(by=request.user, **params)
    record(request, f"put back {replaced}", ctid=container.ctid)
    return redirect(operation)


def has_stop_script(container: Container) -> bool:
    """Whether one is to run."""
    own = container.scripts.filter(name=STOP.name, enabled=True)
    return container.state == State.RUNNING and own.exists()


@dataclass(frozen=True)
class Shortage:
    """A node whose disk runs full while it keeps replaced systems; sizes in bytes.

    own: what deleting each would free at least; None where that is not known of all.
    """

    node: Node
    free: int
    percent: int
    count: int
    size: int
    own: int | None
    last: datetime


def shortages() -> list[Shortage]:
    found = []
    for node in Node.objects.all():
        disk = node.facts.get("disk") or {}
        size, free = disk.get("size"), disk.get("free")
        systems = ReplacedSystem.objects.filter(container__node=node)
        if not size or free is None or free >= LOW * size or not systems.exists():
            continue
        sums = systems.aggregate(size=Sum("size"), own=Sum("own"), last=Max("until"))
        found.append(
            Shortage(
                node=node,
                free=free,
                percent=round(100 * free / size),
                count=systems.count(),
                size=sums["size"] or 0,
                own=None if systems.filter(own=None).exists() else sums["own"],
                last=sums["last"],
            )
        )
    return found
