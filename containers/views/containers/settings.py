"""Changing what a container shall be."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from containers.forms.containers import OwnersForm, SettingsForm
from containers.models import Busy
from containers.views.containers import refusals
from containers.views.page import Request, container_of, held, page, posted, record, remark


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, ctid: int) -> HttpResponse:
    container = container_of(request, ctid, "set_hostname")
    everything = request.user.has_perm("containers.manage_container", container)
    kind = SettingsForm if everything else OwnersForm
    form = kind(posted(request), container=container)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            operation = form.request(by=request.user)
        except Busy as busy:
            form.add_error(None, f"{held(request, busy)} Nothing was changed.")
            status = 409
        else:
            if not form.errors:
                changed = ", ".join(f"{form.fields[name].label}" for name in form.changed)
                if changed:
                    what = f"change {container}: {changed.lower()}"
                    if "owner" in form.changed:
                        what += f", which is now {form.cleaned_data['owner'] or 'nobody'}'s"
                    record(request, what, ctid=ctid, changed=form.changed)
                    if operation:
                        remark(request, operation)
                    else:  # its node need not speak
                        messages.success(request, f"Changed: {changed.lower()}.")
                return redirect(operation or container)
    context = {
        "container": container,
        "form": form,
        "everything": everything,
        "refusals": refusals.of(request.user, container),
    }
    if form.errors and status == 200:
        status = form.status
    return page(request, "containers/settings.html", context, status=status)
