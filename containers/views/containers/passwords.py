"""Root's password in a container."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from containers.forms.passwords import PasswordForm
from containers.models import Busy
from containers.node.errors import OperationError
from containers.views import handover
from containers.views.page import Request, container_of, held, page, posted, record


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, ctid: int) -> HttpResponse:
    container = container_of(request, ctid, "set_password")
    form = PasswordForm(posted(request))
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            operation = container.change(by=request.user, params=form.access())
        except Busy as busy:
            form.add_error(None, f"{held(request, busy)} The password was not changed.")
            status = 409
        except OperationError as error:
            form.add_error(None, error.told(staff=request.user.is_staff))
            status = 422
        else:
            record(request, f"set root's password in {container}", ctid=ctid)
            return handover.show_once(request, redirect(operation), operation, form.generated)
    context = {"container": container, "form": form}
    return page(request, "containers/password.html", context, status=status)
