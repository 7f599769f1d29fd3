"""Making a container."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from containers.forms.containers import CreateForm, lowest_free, newest_templates
from containers.models import Node
from containers.views import handover
from containers.views.page import Request, need, page, posted, record, remark
from containers.views.search import whole


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    need(request, "manage_container")
    templates = newest_templates()
    suggested = lowest_free()
    initial = {
        "ctid": suggested,
        "template": templates[0].pk if templates else None,
        "hostname": f"ct{suggested}",
        "owner": whole(request.GET.get("owner")),
    }
    form = CreateForm(posted(request), initial=initial)
    if (
        request.method == "POST"
        and form.is_valid()
        and (operation := form.request(by=request.user))
    ):
        record(request, f"create CT {operation.ctid}", ctid=operation.ctid, **facts(form))
        remark(request, operation)
        return handover.show_once(request, redirect(operation), operation, form.generated)
    context = {
        "form": form,
        "templates": templates,
        "several_nodes": Node.objects.count() > 1,
        "pools": {node.name: node.pool for node in Node.objects.all()},
    }
    return page(request, "containers/new.html", context, status=422 if form.errors else 200)


def facts(form: CreateForm) -> dict[str, str]:
    data = form.cleaned_data
    return {
        "template": f"{data['template']}",
        "hostname": data["hostname"],
        "owner": f"{data['owner'] or ''}",
    }
