"""Changes of settings that a node refused: shown beside what is in force, until answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from containers.models import Busy, Container, Operation
from containers.node.errors import OperationError, Problem
from containers.node.setting import Setting
from containers.node.settings import named
from containers.node.wording import size
from containers.views.page import Request, container_of, held, need, record
from containers.views.sizes import worded


@dataclass(frozen=True)
class Refusal:
    """lines: a sentence a setting. why: what the operation said, where no line tells it."""

    operation: Operation
    lines: list[str]
    why: str


def of(user: User, container: Container) -> list[Refusal]:
    """Those that this user may answer, the last first."""
    return [
        refusal(container, operation, staff=user.is_staff)
        for operation in container.refused()
        if may_answer(user, container, operation)
    ]


def may_answer(user: User, container: Container, operation: Operation) -> bool:
    return user.has_perm(f"containers.{permission_for(operation)}", container)


def permission_for(operation: Operation) -> str:
    owners = all(named(name).owners for name in operation.asked)
    return "set_hostname" if owners else "manage_container"


def refusal(container: Container, operation: Operation, *, staff: bool) -> Refusal:
    wanted = container.requested(operation)
    lines = [
        line(named(name), wanted[name], container.value_of(name), used_of(operation, name))
        for name in operation.asked
    ]
    told = used_of(operation, operation.details.get("setting", "")) is not None
    return Refusal(operation, lines, "" if told else operation.told(staff=staff))


def used_of(operation: Operation, setting: str) -> int | None:
    """Bytes of it that are used, where that is why it was refused."""
    details = operation.details if operation.problem == Problem.BELOW_USE else {}
    used: int | None = details.get("used") if details.get("setting") == setting else None
    return used


def line(setting: Setting, wanted: object, has: object, used: int | None) -> str:
    said = f"{setting.label}: wanted {worded(setting, wanted)}, has {worded(setting, has)}"
    return f"{said}: it uses {size(used)}." if used is not None else f"{said}."


@require_POST
def answer(request: Request, ctid: int, pk: int) -> HttpResponse:
    """do: again, or discard."""
    container = container_of(request, ctid, "set_hostname")
    refused = next((each for each in container.refused() if each.pk == pk), None)
    if refused is None:
        raise Http404
    need(request, permission_for(refused), container)
    if request.POST.get("do") == "discard":
        refused.answer()
        record(request, f"discard what {container} was refused", ctid=ctid, operation=pk)
        return redirect(container)
    try:
        operation = container.try_again(refused, by=request.user)
    except Busy as busy:
        messages.error(request, f"{held(request, busy)} Nothing was changed.")
    except OperationError as error:
        messages.error(request, error.told(staff=request.user.is_staff))
    else:
        record(request, f"change {container}, once more", ctid=ctid, changed=refused.asked)
        return redirect(operation)
    return redirect("settings", ctid)
