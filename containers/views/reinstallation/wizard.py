"""Setting a container up afresh, a step at a time: system, access and data, review.

The steps are ?step=… of one address, each posts to it, and any of them can be reloaded: what was
chosen so far is a draft in the session. The operation it becomes is noted there too, so that a
confirmation that is sent twice leads to the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods

from containers.forms.reinstallation import (
    Access,
    AccessForm,
    ConfirmForm,
    Draft,
    Keep,
    SystemForm,
    templates_for,
)
from containers.kind import at_page
from containers.models import Busy, Container, Operation, Template
from containers.models.replaced_system import undo_until
from containers.views import handover
from containers.views.page import Request, container_of, held, need, page, record
from containers.views.reinstallation import inquiries, ledger, preflight
from containers.views.search import whole
from containers.views.sign_in.confirmation import confirmed
from containers.views.sizes import in_units

DRAFTS = "reinstallations"
STEPS = {"system": "System", "access": "Access and data", "review": "Review"}
SWITCHES = {
    "without_stop_script": "reinstall_without_stop_script",
    "without_own_scripts": "reinstall_without_own_scripts",
}


def erases(request: Request, ctid: int) -> bool:
    container = container_of(request, ctid, "reinstall_container")
    draft = drafted(request, container)
    template = chosen(request, container, draft)
    if request.POST.get("step") != "confirm" or not template:
        return False
    form = ConfirmForm(request.POST, container=container)
    return form.is_valid() and at_page("reinstallation").erases(draft.params(template))


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(erases)
def edit(request: Request, ctid: int) -> HttpResponse:
    """POST step=system|access|change|confirm and what that step asks."""
    container = container_of(request, ctid, "reinstall_container")
    draft = drafted(request, container)
    if request.method == "POST":
        take = POSTED.get(request.POST.get("step", ""))
        return take(request, container, draft) if take else HttpResponseBadRequest()
    if draft.operation:
        under_way = Operation.objects.unfinished().filter(pk=draft.operation).first()
        if under_way:
            return go_to(request, under_way)
        draft = keep(request, container, Draft())
    step = request.GET.get("step", "system")
    missing = first_missing(request, container, draft)
    if step not in STEPS or list(STEPS).index(step) > list(STEPS).index(missing):
        return to_step(container, missing)
    return SHOWN[step](request, container, draft)


def drafted(request: Request, container: Container) -> Draft:
    return Draft.of(request.session.get(DRAFTS, {}).get(f"{container.ctid}"))


def keep(request: Request, container: Container, draft: Draft) -> Draft:
    drafts = request.session.get(DRAFTS, {})
    request.session[DRAFTS] = {**drafts, f"{container.ctid}": draft.as_json()}
    return draft


def to_step(container: Container, step: str) -> HttpResponse:
    return redirect(f"{reverse('reinstallation', args=[container.ctid])}?step={step}")


def first_missing(request: Request, container: Container, draft: Draft) -> str:
    if chosen(request, container, draft) is None:
        if draft.template:
            messages.warning(request, "That system is no longer offered. Choose another.")
            draft.template = None
            keep(request, container, draft)
        return "system"
    may_erase = request.user.has_perm("containers.erase_container", container)
    if not draft.access or not draft.keep or (draft.erases and not may_erase):
        return "access"
    return "review"


def chosen(request: Request, container: Container, draft: Draft) -> Template | None:
    offered = templates_for(request.user, container)
    return next((each for each in offered if each.pk == draft.template), None)


# The first step


def show_system(
    request: Request, container: Container, draft: Draft, form: SystemForm | None = None
) -> HttpResponse:
    offered = templates_for(request.user, container)
    now_has = container.template.name if container.template else ""
    same = next((each.pk for each in offered if each.name == now_has), None)
    initial = {"template": draft.template or same or (offered[0].pk if offered else None)}
    context = {
        "form": form or SystemForm(templates=offered, initial=initial),
        "templates": offered,
        "present": now_has,
        "withdrawn": bool(now_has) and same is None,
    }
    return show(request, container, draft, "system", context)


def take_system(request: Request, container: Container, draft: Draft) -> HttpResponse:
    form = SystemForm(request.POST, templates=templates_for(request.user, container))
    if not form.is_valid():
        return show_system(request, container, draft, form)
    if draft.operation:  # of an earlier reinstallation
        draft = Draft()
    draft.template = form.cleaned_data["template"].pk
    inquire(request, container, draft, form.cleaned_data["template"])
    return to_step(container, "access")


# The second


def show_access(
    request: Request, container: Container, draft: Draft, form: AccessForm | None = None
) -> HttpResponse:
    may_erase = request.user.has_perm("containers.erase_container", container)
    initial = {
        "access": draft.access or Access.KEEP,
        "sshkeys": "\n".join(draft.sshkeys),
        "keep": draft.keep or Keep.OLD,
    }
    answer, _ = inquiries.answered(draft.inquiry, container, request.user)
    until = undo_until()
    context = {
        "form": form or AccessForm(initial=initial, may_erase=may_erase),
        "room": room(container, answer),
        "until": localtime(until) if until else None,
        "keys_before": len(draft.sshkeys),
    }
    return show(request, container, draft, "access", context)


def room(container: Container, answer: dict[str, Any] | None) -> dict[str, str]:
    """In words, as far as it is known: of the node's answer, else as it measured it last."""
    used = (container.usage.get("disk") or {}).get("used")
    sizes = {
        "old": answer["old"]["bytes"] if answer else used,
        "limit": (container.diskspace or 0) << 20,
    }
    return {name: in_units(size) for name, size in sizes.items() if size}


def take_access(request: Request, container: Container, draft: Draft) -> HttpResponse:
    may_erase = request.user.has_perm("containers.erase_container", container)
    form = AccessForm(request.POST, may_erase=may_erase)
    if not form.is_valid():
        return show_access(request, container, draft, form)
    form.fill(draft)
    keep(request, container, draft)
    return handover.hold(request, to_step(container, "review"), form.generated)


# The third


def show_review(
    request: Request, container: Container, draft: Draft, form: ConfirmForm | None = None
) -> HttpResponse:
    template = chosen(request, container, draft)
    assert template  # noqa: S101 (first_missing has seen to it)
    if "again" in request.GET or inquiries.stale(draft.inquiry, container, request.user, template):
        inquire(request, container, draft, template)
    if "again" in request.GET:
        return to_step(container, "review")
    answer, waiting = inquiries.answered(draft.inquiry, container, request.user)
    found = preflight.checks(request.user, container, draft, template, answer) if answer else []
    until = undo_until()
    context = {
        "form": form or ConfirmForm(container=container),
        "template": template,
        "access": Access(draft.access).label,
        "why": refusal(request, container),
        "waiting": waiting,
        "answer": answer,
        "checks": found,
        "stops": preflight.refused(found),
        "kept": ledger.kept(container, draft, answer),
        "lost": ledger.lost(container, draft, answer),
        "until": localtime(until) if until else None,
    }
    return show(request, container, draft, "review", context)


def take_confirmation(request: Request, container: Container, draft: Draft) -> HttpResponse:
    """Queue the operation, unless it would fail for certain."""
    if draft.operation and (earlier := Operation.objects.filter(pk=draft.operation).first()):
        return go_to(request, earlier)
    missing = first_missing(request, container, draft)
    if missing != "review":
        return to_step(container, missing)
    for switch, permission in SWITCHES.items():
        if getattr(draft, switch):
            need(request, permission, container)
    form = ConfirmForm(request.POST, container=container)
    template = chosen(request, container, draft)
    answer, waiting = inquiries.answered(draft.inquiry, container, request.user)
    found = (
        preflight.checks(request.user, container, draft, template, answer)
        if answer and template
        else []
    )
    blocked = waiting or preflight.refused(found) or refusal(request, container)
    if not form.is_valid() or blocked or not template:
        return show_review(request, container, draft, form)
    password = handover.held(request)
    if draft.access == Access.GENERATE and not password:
        password = draft.generate()  # the one made up before can't be shown any more
    try:
        operation = container.reinstall(by=request.user, params=draft.params(template))
    except Busy as busy:
        messages.warning(request, held(request, busy))
        return show_review(request, container, draft, form)
    what = "erase and reinstall" if draft.erases else "reinstall"
    details = {"template": f"{template}", "access": draft.access, "files": draft.keep}
    record(request, f"{what} {container}", ctid=container.ctid, **details)
    draft.userpasswd, draft.operation = None, operation.pk
    keep(request, container, draft)
    return handover.show_once(request, redirect(operation), operation, password)


def go_to(request: Request, operation: Operation) -> HttpResponse:
    """With the password, in case the answer to the confirmation never arrived."""
    return handover.show_once(request, redirect(operation), operation, handover.held(request))


def take_change(request: Request, container: Container, draft: Draft) -> HttpResponse:
    """Another way: with operation=… that of one that failed, with the same choices beside."""
    if number := request.POST.get("operation", ""):
        earlier = container.operations.filter(pk=whole(number) or 0).first()
        draft = Draft.again(earlier) if earlier and earlier.of_kind.drafted else Draft()
    for switch, permission in SWITCHES.items():
        if switch in request.POST:
            need(request, permission, container)
            setattr(draft, switch, request.POST[switch] == "1")
    if request.POST.get("keep") == Keep.ASIDE and undo_until():
        draft.keep = Keep.ASIDE
    if request.POST.get("access") == "":
        draft.access = ""
    keep(request, container, draft)
    return to_step(container, first_missing(request, container, draft))


def refusal(request: Request, container: Container) -> str:
    """Why not now, as a sentence; empty when it can be begun."""
    return container.not_now(at_page("reinstallation"), request.user)


def inquire(request: Request, container: Container, draft: Draft, template: Template) -> None:
    draft.inquiry = inquiries.ask(container, request.user, template)
    keep(request, container, draft)


def show(
    request: Request, container: Container, draft: Draft, step: str, context: dict[str, Any]
) -> HttpResponse:
    names = list(STEPS)
    shown = {
        "container": container,
        "draft": draft,
        "step": step,
        "steps": [(name, word, names.index(name) < names.index(step)) for name, word in
                  STEPS.items()],
        "why": refusal(request, container),
        **context,
    }  # fmt: skip
    status = 200
    if request.method == "POST":
        status = 422 if context["form"].errors else 409
    return page(request, f"reinstallation/{step}.html", shown, parts=["preflight"], status=status)


Take = Callable[[Request, Container, Draft], HttpResponse]
SHOWN: dict[str, Take] = {"system": show_system, "access": show_access, "review": show_review}
POSTED: dict[str, Take] = {
    "system": take_system,
    "access": take_access,
    "change": take_change,
    "confirm": take_confirmation,
}
