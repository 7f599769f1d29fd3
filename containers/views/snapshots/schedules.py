"""When snapshots of a container are made by themselves."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from containers.forms.snapshots import ScheduleForm
from containers.models.schedule import zone_of
from containers.views.page import Request, container_of, page, posted, record


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, ctid: int) -> HttpResponse:
    """POST remove=1 ends it; what it has made stays."""
    container = container_of(request, ctid, "manage_snapshots")
    form = ScheduleForm(posted(request), container=container)
    if request.method == "POST" and request.POST.get("remove"):
        if form.schedule:
            form.schedule.delete()
            record(request, f"delete the snapshot schedule of {container}", ctid=ctid)
            messages.success(request, "The schedule was deleted. Its snapshots stay.")
        return redirect("snapshots", ctid)
    if request.method == "POST" and form.is_valid():
        schedule = form.save()
        record(request, f"schedule snapshots of {container}: {schedule}", ctid=ctid)
        messages.success(request, f"The schedule was saved: snapshots are taken {schedule}.")
        return redirect("snapshots", ctid)
    zone = zone_of(container.node)
    context = {
        "container": container,
        "within": True,
        "form": form,
        "schedule": form.schedule,
        "zone": zone,
        "there": now().astimezone(zone),
        "off": container.node.facts.get("snapshots_off", ""),
    }
    return page(request, "snapshots/schedule.html", context, status=form.status)
