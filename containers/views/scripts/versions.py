"""The versions of a script: what changed between two, and going back to one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from containers.forms.scripts import RestoreForm
from containers.models import Overtaken, ScriptTarget, ScriptVersion
from containers.views.page import Request, actor, page
from containers.views.scripts.addresses import address, addresses, target_of
from containers.views.scripts.difference import Line, between, whole
from containers.views.scripts.editor import runs_on_node
from containers.views.scripts.publication import publish
from containers.views.sign_in.confirmation import confirmed


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(runs_on_node)
def index(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    target = target_of(request, name, ctid, node)
    script = get_object_or_404(target.owner.scripts, name=name)
    versions = script.versions.select_related("by")
    status = 200
    if request.method == "POST":
        form = RestoreForm(request.POST, versions=script.versions.all())
        if not form.is_valid():
            messages.error(request, "There is no such version.")
            return redirect(address(target, "versions"))
        try:
            return restore(request, target, **form.cleaned_data)
        except Overtaken as overtaken:
            messages.error(request, f"{overtaken} Nothing was restored. This is how it is now.")
            status = 409
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
    return page(request, "scripts/versions.html", context, status=status)


def before(versions: list[ScriptVersion], version: ScriptVersion | None) -> ScriptVersion | None:
    return next((v for v in versions if version and v.number < version.number), None)


def restore(
    request: Request, target: ScriptTarget, number: ScriptVersion, over: str
) -> HttpResponse:
    version = target.restore(number, over=over or None, **actor(request))
    said = f"Version {number.number} restored, as version {version.number}."
    if not target.container:
        return publish(request, target.node, said=said)
    messages.success(request, said)
    return redirect(address(target))


def diff(older: ScriptVersion | None, newer: ScriptVersion | None) -> list[Line]:
    if not newer:
        return []
    return between(older.text, newer.text) if older else whole(newer.text)
