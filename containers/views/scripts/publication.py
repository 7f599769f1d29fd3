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


def publish(request: Request, node: Node, *, said: str = "", replace: bool = False) -> HttpResponse:
    """said: what was done before, which is no success yet. replace: files that the panel did not
    write, too."""
    try:
        operation = publication.publish(node, by=request.user, replace=replace)
    except Busy as busy:
        messages.warning(request, f"{said} {busy} Publish again once it has ended.".strip())
        return redirect("scripts")
    record(request, f"publish the global scripts on {node}")
    if said:
        messages.info(request, said)
    return redirect(operation)
