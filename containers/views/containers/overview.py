"""The list of containers, and a container's own page."""

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from containers.models import Address, Container, Operation, approval, unanswered
from containers.models.container import ContainerQuerySet
from containers.node.states import UNFINISHED, State
from containers.views import ways_out
from containers.views.containers import refusals, usage
from containers.views.page import Request, container_of, page, pager
from containers.views.reinstallation import replaced
from containers.views.scripts import lifecycle
from containers.views.search import Search, plain

LAST = 5  # operations on a container's page
LEFT_MOUNTED = {  # by whether staff read it
    True: "It is suspended and still mounted: an umount script failed. Resume it, start it afresh, "
    "or dismount it.",
    False: "It is suspended, but its files are still in use on the server. Resume it, or start it "
    "afresh.",
}


@require_safe
def home(request: Request) -> HttpResponse:
    return redirect("containers")


@require_safe
def index(request: Request) -> HttpResponse:
    mine = Container.objects.visible_to(request.user)
    search = Search.of(request)
    found = filtered(mine, request, search).select_related("owner", "node", "template")
    busy = Operation.objects.filter(state__in=UNFINISHED, exclusive=True)
    found = found.prefetch_related(
        "address_set", Prefetch("operations", queryset=busy, to_attr="unfinished")
    )
    shown = pager(request, found)
    failures = unanswered.latest([*shown], Operation.objects.all())
    context = {
        "containers": shown,
        "search": search,
        "rows": [(each, each.quick_offer(request.user), failures.get(each.pk)) for each in shown],
        "states": list(State),  # the class itself a template would call
        "owners": owners(mine) if request.user.is_staff else [],
        "any": mine.exists(),
        "shortages": replaced.shortages() if request.user.is_staff else [],
    }
    return page(request, "containers/index.html", context, parts=["rows"])


def filtered(
    containers: QuerySet[Container], request: Request, search: Search
) -> QuerySet[Container]:
    containers = search.narrow(
        containers, "hostname", "name", "description", number="ctid", also=with_address
    )
    if (state := request.GET.get("state")) in list(State):
        containers = containers.filter(state=state)
    if (owner := plain(request.GET.get("owner", ""))) and request.user.is_staff:
        containers = (
            containers.filter(owner=None)
            if owner == "-"
            else containers.filter(owner__username=owner)
        )
    return containers


def with_address(word: str) -> Q:
    addresses = Address.objects.filter(address__startswith=word.lower())
    return Q(pk__in=addresses.values("container"))


def owners(containers: ContainerQuerySet) -> list[str]:
    names = containers.exclude(owner=None).values_list("owner__username", flat=True)
    return sorted(set(names))


@require_safe
def show(request: Request, ctid: int) -> HttpResponse:
    container = container_of(request, ctid)
    operations = container.operations.select_related("by")
    context = {
        "container": container,
        "offers": container.offers(request.user),
        "operation": container.operation,
        "last": operations[:LAST],
        "may_reinstall": request.user.has_perm("containers.reinstall_container", container),
        "failures": ways_out.standing(request.user, container),
        "refusals": refusals.of(request.user, container),
        "node_away": container.node.away,
        "meters": usage.meters(container),
        "warnings": [
            *([LEFT_MOUNTED[request.user.is_staff]] if container.left_mounted else []),
            *container.facts.get("warnings", []),
            *container.node.facts.get("network", []),
        ],
        "host_keys": container.facts.get("host_keys", []),
    }
    if not request.htmx and request.user.has_perm("containers.view_scripts", container):
        context |= {
            "courses": lifecycle.courses(container),
            "cautions": lifecycle.cautions(container),
            "scripts": lifecycle.scripts(container),
            "waits": approval.waiting_for(container.node, container.ctid),
            "node": container.node,
        }
    return page(request, "containers/show.html", context, parts=["state", "history", "usage"])
