"""A publication: a node writes its global scripts, and the browser sees how that goes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from containers.models import Busy, Node, publication
from containers.views.page import Request, need, record


@require_POST
def create(request: Request, node: str) -> HttpResponse:
    need(request, "edit_scripts")
    return publish(request, get_object_or_404(Node, name=node))


def publish(request: Request, node: Node, *, replace: bool = False) -> HttpResponse:
    """replace: files that the panel did not write, too."""
    try:
        operation = publication.publish(node, by=request.user, replace=replace)
    except Busy as busy:
        messages.warning(request, f"{busy} Publish again once it has ended.")
        return redirect("scripts")
    record(request, f"publish the global scripts on {node}")
    return redirect(operation)
