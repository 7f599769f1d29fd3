"""What containers are made from: building, importing, offering."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from containers.forms.requests import form_of
from containers.forms.templates import BuildForm, ImportForm
from containers.kind import of_page
from containers.models import Busy, Node, Operation, Template
from containers.node.states import UNFINISHED
from containers.views.page import Request, held, need, page, record


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: Request) -> HttpResponse:
    """POST kind=… and what its form asks."""
    need(request, "manage_templates")
    asked = request.POST.get("kind", "")
    first = Node.objects.first()
    initial = {"node": first.name if first else None}
    forms = {
        kind.name: form_of(kind)(
            request.POST if kind.name == asked else None, initial=initial, prefix=kind.name[:6]
        )
        for kind in of_page("templates")
    }
    status = 200
    if asked in forms:
        if forms[asked].is_valid():
            return request_one(request, asked, forms[asked])
        status = 422
    templates = Template.objects.filter(removed=False).select_related("node")
    counted = templates.annotate(used=Count("containers"))
    context = {
        "templates": sorted(counted, key=lambda t: (t.name != "debian-12", t.name, -t.version)),
        "forms": [(kind, forms[kind.name]) for kind in of_page("templates")],
        "several_nodes": Node.objects.count() > 1,
        "unfinished": Operation.objects.filter(kind__in=forms, state__in=UNFINISHED),
    }
    return page(request, "templates/index.html", context, parts=["rows"], status=status)


def request_one(request: Request, kind: str, form: BuildForm | ImportForm) -> HttpResponse:
    node: Node = form.cleaned_data["node"]
    name = form.cleaned_data["name"]
    try:
        operation = Operation.request_on(
            node, kind, f"template {name}", by=request.user, params=form.params
        )
    except Busy as busy:
        messages.warning(request, held(request, busy))
        return redirect("templates")
    record(request, f"{kind.replace('_', ' ')} {name} on {node}", **form.params)
    return redirect(operation)


@require_POST
def edit(request: Request, pk: int) -> HttpResponse:
    """POST offered=1 or nothing: whether customers may choose it."""
    need(request, "manage_templates")
    template = get_object_or_404(Template, pk=pk, removed=False)
    template.offered = bool(request.POST.get("offered"))
    template.save(update_fields=["offered"])
    word = "offer" if template.offered else "withdraw"
    record(request, f"{word} {template} {'to' if template.offered else 'from'} customers")
    whose = "offered to customers" if template.offered else "for staff only"
    messages.success(request, f"{template} is {whose} now.")
    return redirect("templates")
