"""A script file on a node that the panel did not write: what is in it, importing, replacing it."""

from __future__ import annotations

import base64

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from containers.models import Inquiry, InquiryKind, ScriptTarget
from containers.node import habits
from containers.node.actions import Action
from containers.node.script_text import Flaw, Source, examine
from containers.views.page import Request, actor, page
from containers.views.scripts import editor
from containers.views.scripts.addresses import address, addresses, target_of
from containers.views.scripts.publication import publish
from containers.views.search import whole
from containers.views.sign_in.confirmation import confirmed

UNFIT = {
    Flaw.TOO_LARGE: "It is larger than 1 MiB: that is no script.",
    Flaw.NUL: "It has a NUL byte in it: that is no text.",
    Flaw.EMPTY: "It is empty.",
}


def runs_on_node(request: Request, name: str, **place: object) -> bool:
    return editor.runs_on_node(request, name) and request.POST.get("do") != "replace"


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(runs_on_node)
def show(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    """POST do=import|replace."""
    target = target_of(request, name, ctid, node)
    if request.method == "POST" and request.POST.get("do") == "replace":
        return replace(request, target)
    inquiry = asked(request, target)
    if inquiry is None:
        return redirect(f"{address(target, 'foreign')}?inquiry={ask(request, target)}")
    body = body_of(inquiry)
    if request.method == "POST" and body is not None and not unfit(body, target.action):
        return take_over(request, target, body)
    script = target.script
    current = script.current if script and script.enabled else None
    context = {
        "target": target,
        "urls": addresses(target),
        "inquiry": inquiry,
        "here": "File on the node",
        "text": None if body is None else body.decode(errors="replace"),
        "unfit": "" if body is None else unfit(body, target.action),
        "habits": [] if body is None else habits.of(body),
        "same": current is not None and body == bytes(current.body),
        "current": current,
        "next": (script.current.number if script and script.current else 0) + 1,
        "waiting": inquiry.awaited,
        "elsewhere": (inquiry.answer or {}).get("own") is False,
        "refused": editor.refused(target) if target.container else None,
    }
    return page(request, "scripts/foreign.html", context, parts=["foreign"])


def ask(request: Request, target: ScriptTarget) -> int:
    kind, name = InquiryKind.SCRIPT, target.action.name
    return Inquiry.ask(target.node, kind, ctid=target.ctid, by=request.user, action=name).pk


def asked(request: Request, target: ScriptTarget) -> Inquiry | None:
    number = request.POST.get("inquiry") or request.GET.get("inquiry", "")
    mine = Inquiry.objects.filter(
        node=target.node, kind=InquiryKind.SCRIPT, ctid=target.ctid, by=request.user
    )
    found = mine.filter(pk=pk).first() if (pk := whole(number)) else None
    return found if found and found.args == {"action": target.action.name} else None


def body_of(inquiry: Inquiry) -> bytes | None:
    return base64.b64decode(inquiry.answer["body"]) if inquiry.answer else None


def unfit(body: bytes, action: Action) -> str:
    """Why it can't be imported."""
    refused = examine(body, action, Source.AS_IT_IS).refused
    return UNFIT[refused[0]] if refused else ""


def take_over(request: Request, target: ScriptTarget, body: bytes) -> HttpResponse:
    """As it is, byte for byte: only then is it the file that lies there."""
    reason = "imported from the node"
    refused = editor.refused(target) if target.container else None
    version = target.write(body, reason=reason, verb="import", **actor(request))
    said = f"Imported as version {version.number}: the panel has it now."
    if not target.container:
        return publish(request, target.node, said=said)
    if refused:  # which says to import it
        refused.answer()
    messages.success(request, said)
    return redirect(address(target))


def replace(request: Request, target: ScriptTarget) -> HttpResponse:
    """Of a global one: publish all of them. An own one's is written by the next operation."""
    if target.container:
        return redirect(address(target))
    return publish(request, target.node, replace=True)
