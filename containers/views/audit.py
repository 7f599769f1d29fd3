"""Who did what, when, and from where."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from containers.models import AuditEvent
from containers.views.page import Request, need, page, pager
from containers.views.search import Search


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "view_audit")
    events = AuditEvent.objects.select_related("by")
    search = Search.of(request)
    events = search.narrow(events, "what", "name", "address", number="ctid")
    context = {"events": pager(request, events, 50), "search": search}
    return page(request, "audit/index.html", context)
