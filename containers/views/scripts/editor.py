"""Scripts and hooks: a container's own, and the global ones of a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from containers.forms import findings as shellcheck
from containers.forms.scripts import ScriptForm
from containers.models import Busy, Container, Node, Operation, Script
from containers.node import actions
from containers.node.actions import Action, Scope, Where
from containers.node.errors import Problem
from containers.node.scripts import HOST_ENV
from containers.views.page import Request, container_of, need, page, posted, record

SAMPLES = Path(actions.__file__).parent / "samples"
PUBLISHED = "global scripts"  # the resource that a publication holds


# Of a hook: its options, and what each exit code leads to (steps/reinstalling.py)
CONTRACT = {
    actions.REINSTALL: [
        ("Options", "--veid ID --ve_private_tmp DIRECTORY (where it makes the new system; it "
                    "is not there yet) --ve_private DIRECTORY (the old system)"),
        ("Exit code 0", "it has made the temporary private area, and that becomes the new system. "
                        "Without that area, the reinstallation fails with 128"),
        ("Exit code 128", "the default reinstallation is done: the hooks count as not there, "
                          "vps.configure does not run"),
        ("Any other", "the reinstallation fails with 128; the old system stays as it is"),
        ("No hook", "none, disabled, or removed or renamed on the node: the default"),
    ],
    actions.CONFIGURE: [
        ("Finds", "the old system at /old, whatever becomes of it afterwards"),
        ("Exit code 0", "the new system is kept"),
        ("Any other", "the reinstallation fails with 94; the old system is put back, and started "
                      "again if it ran"),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a script belongs: a container, or a node as a global one."""

    action: Action
    node: Node
    container: Container | None = None

    @property
    def scope(self) -> Scope:
        return Scope.OWN if self.container else Scope.GLOBAL

    @property
    def owner(self) -> Container | Node:
        return self.container or self.node

    @property
    def script(self) -> Script | None:
        return self.owner.scripts.filter(name=self.action.name).first()

    def made(self) -> Script:
        """The row, made if there is none."""
        return self.owner.scripts.get_or_create(name=self.action.name)[0]

    def url(self, name: str = "") -> str:
        if self.container:
            return reverse(name or "script", args=[self.container.ctid, self.action.name])
        return reverse(f"global_{name or 'script'}", args=[self.node.name, self.action.name])

    @property
    def versions_url(self) -> str:
        return self.url("versions")

    @property
    def foreign_url(self) -> str:
        return self.url("foreign")

    @property
    def disable_url(self) -> str:
        return self.url("disable")

    @property
    def environment(self) -> dict[str, str]:
        """What the script finds in its environment, and nothing else."""
        ctid = f"{self.container.ctid}" if self.container else "the CT ID"
        found = {**HOST_ENV, "VEID": ctid}
        if self.action.where is Where.NODE:
            found["VE_CONFFILE"] = "the container's configuration file"
        return found

    @property
    def contract(self) -> list[tuple[str, str]]:
        return CONTRACT.get(self.action, [])

    @property
    def precedence(self) -> str:
        """Of a hook only one runs."""
        if not self.action.hook:
            return ""
        if self.container:
            return "This one runs in the place of the node's global one"
        return "For every container that has none of its own"

    @property
    def sample(self) -> str:
        try:
            return (SAMPLES / self.action.name).read_text()
        except OSError:
            return ""

    @property
    def audience(self) -> int:
        """How many containers it runs for."""
        return 1 if self.container else self.node.containers.count()

    def __str__(self) -> str:
        where = f"of {self.container}" if self.container else f"on {self.node}"
        return f"{self.scope} {self.action} script {where}"


def place_of(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> Place:
    if ctid is None:
        need(request, "edit_scripts")
    action = actions.BY_NAME.get(name)
    scope = Scope.OWN if ctid is not None else Scope.GLOBAL
    container = container_of(request, ctid, "edit_scripts") if ctid is not None else None
    if not action or scope not in action.scopes:
        raise Http404
    if container:
        return Place(action, container.node, container)
    return Place(action, get_object_or_404(Node, name=node))


def place_in(operation: Operation) -> Place | None:
    """Where the file belongs that made a node refuse an operation."""
    if operation.problem != Problem.FOREIGN_FILE:
        return None
    action = actions.BY_NAME[operation.details["action"]]
    if operation.details["scope"] == Scope.GLOBAL:
        return Place(action, operation.node)
    return Place(action, operation.node, operation.container) if operation.container else None


def refused(place: Place) -> Operation | None:
    """What the node did not begin last, because of the file that lies in this place."""
    if place.container:
        last = place.container.operations.first()
    else:
        last = Operation.objects.filter(node=place.node, resource=PUBLISHED).first()
    return last if last and place_in(last) == place else None


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "view_scripts")
    nodes = []
    for node in Node.objects.all():
        written = {script.name: script for script in node.scripts.all()}
        places = [
            (Place(action, node), written.get(action.name))
            for action in actions.ALL
            if Scope.GLOBAL in action.scopes
        ]
        last = Operation.objects.filter(node=node, resource=PUBLISHED).first()
        nodes.append((node, places, last))
    return page(request, "scripts/index.html", {"nodes": nodes})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    place = place_of(request, name, ctid, node)
    script = place.script
    current = script.current if script else None
    form = ScriptForm(
        posted(request),
        request.FILES if request.method == "POST" else None,
        action=place.action,
        initial={"body": current.text if current else ""},
    )
    found: list[shellcheck.Finding] = []
    if request.method == "POST" and form.is_valid():
        if "check" not in request.POST:
            return save(request, place, form)
        found = shellcheck.of(form.cleaned_data["body"])
    context = {
        "place": place,
        "script": script,
        "current": current,
        "form": form,
        "checked": request.method == "POST" and not form.errors,
        "findings": found,
        "refused": refused(place),
        "last": script.versions.select_related("by")[:5] if script else [],
    }
    return page(request, "scripts/edit.html", context, status=422 if form.errors else 200)


def save(request: Request, place: Place, form: ScriptForm) -> HttpResponse:
    version = place.made().write(
        form.cleaned_data["body"], by=request.user, reason=form.cleaned_data["reason"]
    )
    for notice in form.notices:
        messages.warning(request, notice)
    ctid = place.container.ctid if place.container else None
    record(
        request,
        f"save the {place}: version {version.number}",
        ctid=ctid,
        sha256=version.sha256,
        reason=version.reason,
    )
    if place.container:
        messages.success(
            request,
            f"Saved as version {version.number}. It runs the next time its moment comes.",
        )
        return redirect(place.url())
    messages.success(request, f"Saved as version {version.number}.")
    return publication(request, place.node)


@require_POST
def disable(
    request: Request, name: str, ctid: int | None = None, node: str | None = None
) -> HttpResponse:
    place = place_of(request, name, ctid, node)
    if script := place.script:
        script.disable()
        ctid = place.container.ctid if place.container else None
        record(request, f"disable the {place}", ctid=ctid)
        messages.success(
            request, "Disabled: it runs no more. Its versions stay; restore one to enable it."
        )
        if not place.container:
            return publication(request, place.node)
    return redirect(place.url())


@require_POST
def publish(request: Request, node: str) -> HttpResponse:
    need(request, "edit_scripts")
    return publication(request, get_object_or_404(Node, name=node))


def publication(request: Request, node: Node, **params: Any) -> HttpResponse:
    """Have the node write its global scripts, and show how that goes."""
    try:
        operation = Operation.request_on(node, "publish", PUBLISHED, by=request.user, params=params)
    except Busy as busy:
        messages.warning(request, f"{busy} Publish again once it has ended.")
        return redirect("scripts")
    record(request, f"publish the global scripts on {node}")
    return redirect(operation)


@require_POST
def findings(request: Request) -> JsonResponse:
    """What shellcheck says of the text that is being written."""
    need(request, "edit_scripts")
    body = request.POST.get("body", "").replace("\r\n", "\n").encode(errors="replace")
    return JsonResponse({"findings": [each.as_json() for each in shellcheck.of(body)]})
