"""What shellcheck says of the text that is being written."""

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from containers import shellcheck
from containers.views.page import Request, need


@require_POST
def show(request: Request) -> JsonResponse:
    need(request, "edit_scripts")
    body = request.POST.get("body", "").replace("\r\n", "\n").encode(errors="replace")
    return JsonResponse({"findings": [each.as_json() for each in shellcheck.of(body)]})
