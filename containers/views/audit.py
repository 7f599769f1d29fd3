"""Who did what, when, and from where."""

from django.db.models import Q
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from containers.models import AuditEvent
from containers.views.page import Request, need, page, pager


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "view_audit")
    events = AuditEvent.objects.select_related("by")
    words = request.GET.get("q", "").strip()
    for word in words.split():
        wanted = Q(what__icontains=word) | Q(name__icontains=word) | Q(address__icontains=word)
        if word.isdecimal():
            wanted |= Q(ctid=int(word))
        events = events.filter(wanted)
    return page(request, "audit/index.html", {"events": pager(request, events, 50), "q": words})
