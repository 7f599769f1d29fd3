"""The versions of a script: what changed between two, and going back to one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from containers.forms.scripts import RestoreForm
from containers.models import ScriptVersion
from containers.views.page import Request, page, record
from containers.views.scripts import editor

KINDS = {"+": "added", "-": "removed", "@": "hunk"}


@dataclass(frozen=True)
class Line:
    kind: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
def index(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    place = editor.place_of(request, name, ctid, node)
    script = get_object_or_404(place.owner.scripts, name=name)
    versions = script.versions.select_related("by")
    if request.method == "POST":
        form = RestoreForm(request.POST, versions=script.versions.all())
        if form.is_valid():
            return restore(request, place, form.cleaned_data["number"])
        messages.error(request, "There is no such version.")
        return redirect(place.url("versions"))
    shown = list(versions)
    by_number = {f"{version.number}": version for version in shown}
    newer = by_number.get(request.GET.get("b", ""), shown[0] if shown else None)
    older = by_number.get(request.GET.get("a", ""), before(shown, newer))
    context = {
        "place": place,
        "script": script,
        "versions": shown,
        "newer": newer,
        "older": older,
        "lines": diff(older, newer),
    }
    return page(request, "scripts/versions.html", context)


def before(versions: list[ScriptVersion], version: ScriptVersion | None) -> ScriptVersion | None:
    return next((v for v in versions if version and v.number < version.number), None)


def restore(request: Request, place: editor.Place, old: ScriptVersion) -> HttpResponse:
    """Restoring is saving the old text again: what lay between stays in the history."""
    reason = f"restores version {old.number}"
    version = place.made().write(bytes(old.body), by=request.user, reason=reason)
    ctid = place.container.ctid if place.container else None
    record(request, f"save the {place}: version {version.number} {reason}", ctid=ctid)
    messages.success(request, f"Version {old.number} is the newest again, as {version.number}.")
    return redirect(place.url()) if place.container else editor.publication(request, place.node)


def diff(older: ScriptVersion | None, newer: ScriptVersion | None) -> list[Line]:
    if not newer:
        return []
    if not older:
        return [Line("same", text) for text in newer.text.splitlines()]
    lines = difflib.unified_diff(older.text.splitlines(), newer.text.splitlines(), lineterm="", n=5)
    return [Line(KINDS.get(line[:1], "same"), line) for line in list(lines)[2:]]
