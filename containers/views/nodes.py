"""The machines that hold containers: what they say of themselves, and what staff decide."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from containers.forms.nodes import NodeForm
from containers.models import Node, approval
from containers.node.states import UNFINISHED, State
from containers.views.page import Request, need, page, posted, record
from containers.views.reinstallation import replaced
from containers.views.sizes import in_units


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "manage_nodes")
    running = Count("containers", filter=Q(containers__state=State.RUNNING), distinct=True)
    nodes = Node.objects.annotate(total=Count("containers", distinct=True), running=running)
    for node in nodes:
        node.waits = len(approval.waiting(node))  # type: ignore[attr-defined]
    context = {"nodes": nodes, "shortages": replaced.shortages()}
    return page(request, "nodes/index.html", context, parts=["rows"])


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: Request, name: str) -> HttpResponse:
    need(request, "manage_nodes")
    node = get_object_or_404(Node, name=name)
    form = NodeForm(posted(request), instance=node)
    if request.method == "POST" and form.is_valid():
        form.save()
        if form.changed_data:
            decided = {name: form.cleaned_data[name] for name in form.changed_data}
            record(request, f"change node {node}", **decided)
            messages.success(request, "Saved. The new settings apply from the next operation on.")
        return redirect("node", node.name)
    context = {
        "node": node,
        "form": form,
        "facts": facts(node),
        "waits": approval.waiting(node),
        "advisories": node.facts.get("advisories", []),
        "containers": node.containers.count(),
        "shortages": [short for short in replaced.shortages() if short.node == node],
        "unfinished": node.operations.filter(state__in=UNFINISHED).order_by("pk")[:20],
    }
    return page(request, "nodes/show.html", context, parts=["facts"], status=form.status)


def facts(node: Node) -> list[tuple[str, str]]:
    """What the node said of itself, a word and a value each; nested things spelled out."""
    return [
        (WORDS.get(key, key), worded(value, key))
        for key, value in sorted(node.facts.items())
        if key not in HIDDEN and (value or key not in ABSENT)
    ] + [("scripts", "only approved ones run")] * approval.required(node)


WORDS = {
    "criu": "CRIU",
    "cpus": "processors",
    "figures": "memory seen inside",
    "ledger": "audit not kept",
    "nat": "NAT",
    "onboot": "containers still to start",
    "pid_max": "processes at most",
    "runtime": "runtime version",
    "snapshot_version": "snapshot format",
    "snapshots_off": "snapshots of processes",
    "timezone": "time zone",
}
ABSENT = (
    "criu",
    "figures",
    "ledger",
    "network",
    "snapshots_off",
    "warnings",
)  # not said at all when there is nothing to say
IN_BYTES = {"memory", "size", "free"}
# A mask, which says nothing to people, and what has its own place; defaults: on the create page
HIDDEN = {"caps", "approval", "advisories", "defaults"}


def worded(value: object, key: str = "") -> str:
    match value:
        case int() if key in IN_BYTES:
            return in_units(value)
        case bool():
            return "yes" if value else "no"
        case None | "":
            return "unknown"
        case dict():
            return ", ".join(f"{name} {worded(each, name)}" for name, each in value.items())
        case list():
            return ", ".join(worded(each) for each in value) or "none"
    return f"{value}"
