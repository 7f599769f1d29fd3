"""The versions of a script: what changed between two, and going back to one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from containers.forms.scripts import RestoreForm
from containers.models import ScriptTarget, ScriptVersion
from containers.node.lines import lines_in
from containers.views.page import Request, actor, page
from containers.views.scripts.addresses import address, addresses, target_of
from containers.views.scripts.editor import runs_on_node
from containers.views.scripts.publication import publish
from containers.views.sign_in.confirmation import confirmed

KINDS = {"+": "added", "-": "removed", "@": "hunk"}


@dataclass(frozen=True)
class Line:
    kind: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(runs_on_node)
def index(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    target = target_of(request, name, ctid, node)
    script = get_object_or_404(target.owner.scripts, name=name)
    versions = script.versions.select_related("by")
    if request.method == "POST":
        form = RestoreForm(request.POST, versions=script.versions.all())
        if form.is_valid():
            return restore(request, target, form.cleaned_data["number"])
        messages.error(request, "There is no such version.")
        return redirect(address(target, "versions"))
    shown = list(versions)
    by_number = {f"{version.number}": version for version in shown}
    newer = by_number.get(request.GET.get("b", ""), shown[0] if shown else None)
    older = by_number.get(request.GET.get("a", ""), before(shown, newer))
    context = {
        "target": target,
        "urls": addresses(target),
        "script": script,
        "versions": shown,
        "newer": newer,
        "older": older,
        "lines": diff(older, newer),
    }
    return page(request, "scripts/versions.html", context)


def before(versions: list[ScriptVersion], version: ScriptVersion | None) -> ScriptVersion | None:
    return next((v for v in versions if version and v.number < version.number), None)


def restore(request: Request, target: ScriptTarget, old: ScriptVersion) -> HttpResponse:
    version = target.restore(old, **actor(request))
    said = f"Version {old.number} restored, as version {version.number}."
    if not target.container:
        return publish(request, target.node, said=said)
    messages.success(request, said)
    return redirect(address(target))


def diff(older: ScriptVersion | None, newer: ScriptVersion | None) -> list[Line]:
    if not newer:
        return []
    if not older:
        return [Line("same", text) for text in lines_in(newer.text)]
    found = difflib.unified_diff(lines_in(older.text), lines_in(newer.text), lineterm="", n=5)
    return [Line(KINDS.get(line[:1], "same"), line) for line in list(found)[2:]]
