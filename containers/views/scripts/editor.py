"""Scripts and hooks: a container's own, and the global ones of a node."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from containers import shellcheck
from containers.forms.scripts import ScriptForm
from containers.models import (
    Node,
    Operation,
    Overtaken,
    Script,
    ScriptTarget,
    publication,
    unanswered,
)
from containers.node import actions
from containers.node.actions import Scope, Where
from containers.node.errors import Problem
from containers.views.page import Request, actor, need, page, posted
from containers.views.scripts import contract, running
from containers.views.scripts.addresses import address, addresses, target_of
from containers.views.scripts.overtaken import Differences
from containers.views.scripts.publication import publish
from containers.views.sign_in.confirmation import confirmed


def place_in(operation: Operation) -> ScriptTarget | None:
    """Where the file belongs that made a node refuse an operation."""
    if operation.problem != Problem.FOREIGN_FILE:
        return None
    own = operation.details["scope"] != Scope.GLOBAL
    owner = operation.container if own else operation.node
    action = actions.BY_NAME[operation.details["action"]]
    return ScriptTarget(owner, action) if owner else None


def refused(target: ScriptTarget) -> Operation | None:
    """What the node did not begin last, because of the file that lies in this place."""
    if target.container:
        bad = unanswered.of(target.container, unanswered.ENDED_BADLY)
    else:
        last = publication.last(target.node)
        bad = [last] if last and not last.answered else []
    return next((each for each in bad if place_in(each) == target), None)


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "view_scripts")
    nodes = []
    for node in Node.objects.all():
        written = {script.name: script for script in node.scripts.all()}
        rows = [
            (target, written.get(target.action.name), address(target))
            for target in ScriptTarget.all_of(node)
        ]
        nodes.append((node, rows, publication.last(node)))
    return page(request, "scripts/index.html", {"nodes": nodes})


def runs_on_node(request: Request, name: str, **place: object) -> bool:
    """Whether it is a script that root runs on the node, and will be saved."""
    action = actions.BY_NAME.get(name)
    return bool(action and action.where is Where.NODE and "check" not in request.POST)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(runs_on_node)
def edit(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    target = target_of(request, name, ctid, node)
    script = target.script
    current = script.current if script else None
    form = ScriptForm(
        posted(request),
        request.FILES if request.method == "POST" else None,
        action=target.action,
        initial={"body": current.text if current else "", "over": target.edition},
    )
    found: list[shellcheck.Finding] = []
    overtaken, status = None, 200
    if request.method == "POST" and form.is_valid():
        if "check" in request.POST:
            found = shellcheck.of(form.cleaned_data["body"])
        else:
            try:
                return save(request, target, form)
            except Overtaken as error:
                script, status = error.script, 409
                current = script.current
                overtaken = compared(script, form)
    context = {
        "target": target,
        "urls": addresses(target),
        "terms": contract.terms(target.action),
        "sample": contract.sample(target.action),
        "script": script,
        "current": current,
        "form": form,
        "overtaken": overtaken,
        "run": running.way(request.user, target),
        "checked": "check" in request.POST and not form.errors,
        "findings": found,
        "refused": refused(target),
        "waits": [target.waits] if target.waits else [],
        "node": target.node,
        "last": script.versions.select_related("by")[:5] if script else [],
    }
    status = 422 if form.errors else status
    return page(request, "scripts/edit.html", context, status=status)


def compared(script: Script, form: ScriptForm) -> Differences:
    """What others did and what one's own text would do; sent again, it goes over theirs."""
    data = form.cleaned_data
    form.show(over=script.edition)
    return Differences.of(script, read=data["over"], mine=data["body"].decode())


def save(request: Request, target: ScriptTarget, form: ScriptForm) -> HttpResponse:
    """Raises Overtaken."""
    data = form.cleaned_data
    version = target.write(
        data["body"], reason=data["reason"], over=data["over"] or None, **actor(request)
    )
    for notice in form.notices:
        messages.warning(request, notice)
    said = f"Saved as version {version.number}."
    if target.container:
        if kind := request.POST.get("run"):
            messages.success(request, said)
            return redirect(running.run(request, target, kind) or address(target))
        messages.success(request, f"{said} It runs {target.action.next}.")
        return redirect(address(target))
    said = f"{said} Once it is published, it runs {target.action.next}."
    return publish(request, target.node, said=said)


@require_POST
def disable(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    target = target_of(request, name, ctid, node)
    if target.disable(**actor(request)):
        stays = "Its versions stay; restore one to enable it."
        if not target.container:
            said = f"Disabled: it no longer runs once that is published. {stays}"
            return publish(request, target.node, said=said)
        messages.success(request, f"Disabled: it no longer runs. {stays}")
    return redirect(address(target))
