"""How a script that was just saved is run: by what one may do with its container now."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User

from containers.models import Busy, Operation, ScriptTarget, approval
from containers.models.offer import Offer
from containers.node.actions import Where
from containers.node.states import State
from containers.views.page import Request, record


def way(user: User, target: ScriptTarget) -> Offer | None:
    """None where nothing runs it now, asks nothing first and needs nobody's approval."""
    container = target.container
    if not container:
        return None
    if target.action.where is Where.NODE and approval.required(container.node):
        return None
    state, step = State(container.state), f"{target.scope}-{target.action}"
    ways = (
        offer
        for offer in container.offers(user)
        if offer.kind.tries_scripts and offer.possible and not offer.asking.asks
        if any(each.key == step for each in offer.kind.plan.steps(state))
    )
    return next(ways, None)


def run(request: Request, target: ScriptTarget, kind: str) -> Operation | None:
    """Ask for it; None, with a message that says why, when it is not to be had any more."""
    offer, container = way(request.user, target), target.container
    if not container or not offer or offer.kind.name != kind:
        messages.warning(request, "It was not run: the container has changed meanwhile.")
        return None
    try:
        operation = container.request(kind, by=request.user)
    except Busy as busy:
        messages.warning(request, f"It was not run. {busy.told(staff=request.user.is_staff)}")
        return None
    record(request, offer.kind.deed(container), ctid=container.ctid)
    return operation
