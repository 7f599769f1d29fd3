"""The addresses of a script's pages: which script one names, and where a script's pages are."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from containers.models import Container, Node, ScriptTarget
from containers.views.page import Request, container_of, need

PAGES = ("script", "versions", "foreign", "disable")


def target_of(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> ScriptTarget:
    """For those who may edit it; 404 for a script that cannot be."""
    owner: Container | Node
    if ctid is not None:
        owner = container_of(request, ctid, "edit_scripts")
    else:
        need(request, "edit_scripts")
        owner = get_object_or_404(Node, name=node)
    target = ScriptTarget.named(owner, name)
    if not target:
        raise Http404
    return target


def address(target: ScriptTarget, page: str = "script") -> str:
    if target.container:
        return reverse(page, args=[target.ctid, target.action.name])
    return reverse(f"global_{page}", args=[target.node.name, target.action.name])


def addresses(target: ScriptTarget) -> dict[str, str]:
    """Those of its pages, by name."""
    return {page: address(target, page) for page in PAGES}
