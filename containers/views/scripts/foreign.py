"""A script file on a node that the panel did not write: what is in it, importing, replacing it."""

from __future__ import annotations

import base64
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from containers.forms.scripts import LARGEST
from containers.models import Inquiry, InquiryKind
from containers.views.page import Request, page, record
from containers.views.scripts import editor
from containers.views.scripts.editor import Place, place_of

PATIENCE = timedelta(seconds=10)  # that an answer is waited for


@require_http_methods(["GET", "HEAD", "POST"])
def show(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    """POST do=import|replace."""
    place = place_of(request, name, ctid, node)
    if request.method == "POST" and request.POST.get("do") == "replace":
        return replace(request, place)
    inquiry = asked(request, place)
    if inquiry is None:
        return redirect(f"{place.url('foreign')}?inquiry={ask(request, place)}")
    body = body_of(inquiry)
    if request.method == "POST" and body is not None and not unfit(body):
        return take_over(request, place, body)
    script = place.script
    current = script.current if script and script.enabled else None
    context = {
        "place": place,
        "inquiry": inquiry,
        "here": "File on the node",
        "text": None if body is None else body.decode(errors="replace"),
        "unfit": "" if body is None else unfit(body),
        "same": current is not None and body == bytes(current.body),
        "current": current,
        "next": (script.current.number if script and script.current else 0) + 1,
        "waiting": not inquiry.answered and now() - inquiry.asked < PATIENCE,
        "refused": editor.refused(place) if place.container else None,
    }
    return page(request, "scripts/foreign.html", context, parts=["foreign"])


def ask(request: Request, place: Place) -> int:
    ctid = place.container.ctid if place.container else None
    kind, name = InquiryKind.SCRIPT, place.action.name
    return Inquiry.ask(place.node, kind, ctid=ctid, by=request.user, action=name).pk


def asked(request: Request, place: Place) -> Inquiry | None:
    number = request.POST.get("inquiry") or request.GET.get("inquiry", "")
    ctid = place.container.ctid if place.container else None
    mine = Inquiry.objects.filter(node=place.node, kind=InquiryKind.SCRIPT, ctid=ctid)
    mine = mine.filter(by=request.user)
    found = mine.filter(pk=int(number)).first() if number.isdecimal() else None
    return found if found and found.args == {"action": place.action.name} else None


def body_of(inquiry: Inquiry) -> bytes | None:
    return base64.b64decode(inquiry.answer["body"]) if inquiry.answer else None


def unfit(body: bytes) -> str:
    """Why it can't be imported."""
    if len(body) > LARGEST:
        return "It is larger than 1 MiB: that is no script."
    if b"\0" in body:
        return "It has a NUL byte in it: that is no text."
    return "" if body.strip() else "It is empty."


def take_over(request: Request, place: Place, body: bytes) -> HttpResponse:
    """As it is, byte for byte: only then is it the file that lies there."""
    version = place.made().write(body, by=request.user, reason="imported from the node")
    ctid = place.container.ctid if place.container else None
    what = f"import the {place} from the node: version {version.number}"
    record(request, what, ctid=ctid, sha256=version.sha256, reason=version.reason)
    messages.success(request, f"Imported as version {version.number}: the panel has it now.")
    if not place.container:
        return editor.publication(request, place.node)
    return redirect(place.url())


def replace(request: Request, place: Place) -> HttpResponse:
    """Of a global one: publish all of them. An own one's is written by the next operation."""
    if place.container:
        return redirect(place.url())
    return editor.publication(request, place.node, replace_scripts=True)
