from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path

handler400 = "containers.views.failures.bad_request"
handler403 = "containers.views.failures.forbidden"
handler404 = "containers.views.failures.not_found"
handler500 = "containers.views.failures.server_error"


@login_not_required
def favicon(request: HttpRequest, **kwargs: Any) -> HttpResponseRedirect:
    """Browsers ask for this one also where a page names another."""
    return HttpResponseRedirect(static("logo.svg"))


urlpatterns = [path("favicon.ico", favicon), path("", include("containers.urls"))]
