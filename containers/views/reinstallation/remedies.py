"""Ways on when a reinstallation can't go its usual way; each is one button, and says its price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.template.defaultfilters import date
from django.utils.timezone import localtime

from containers.models import Container, Operation, OperationStep
from containers.models.replaced_system import undo_until
from containers.node.actions import CONFIGURE, REINSTALL, START, STOP, Scope
from containers.node.errors import Problem
from containers.node.operations.reinstall import START_OLD
from containers.node.states import Progress, StepState
from containers.node.steps.reinstalling import COMMIT
from containers.views.scripts import lifecycle


@dataclass(frozen=True)
class Way:
    """fields: what it changes of the draft. permission: what it takes, beside reinstalling."""

    word: str
    price: str
    fields: dict[str, str]
    permission: str = "reinstall_container"


def without_stop_script() -> Way:
    return Way(
        "Stop it without its stop script",
        "What its stop script would have done is not done.",
        {"without_stop_script": "1"},
        "reinstall_without_stop_script",
    )


def without_own_scripts() -> Way:
    return Way(
        "Reinstall without its start and stop scripts",
        "They are then disabled until the hosting staff enable them again. "
        "Scripts that run on the node still run.",
        {"without_own_scripts": "1"},
        "reinstall_without_own_scripts",
    )


def aside() -> Way | None:
    """None where nothing is kept aside."""
    until = undo_until()
    if until is None:
        return None
    day = date(localtime(until), "j F Y")
    return Way(
        f"Keep the old files until {day} instead",
        "They are then not in /old, but until that day you can put the whole old system back.",
        {"keep": "aside"},
    )


def only_root() -> Way:
    return Way(
        "Let only root sign in",
        "Users and passwords are then not carried over. You choose a password or a key for root.",
        {"access": ""},
    )


@dataclass(frozen=True)
class Rescue:
    """What a reinstallation that failed leaves to be done."""

    ways: list[Way] = field(default_factory=list)
    again: bool = False
    note: str = ""  # what became of the old system
    editable: list[tuple[str, str]] = field(default_factory=list)  # (url, word): for staff


# The script of its own that failed, and what gets round it
BY_SCRIPT: dict[tuple[str, str] | None, Callable[[], Way]] = {
    (Scope.OWN, STOP.name): without_stop_script,
    (Scope.OWN, START.name): without_own_scripts,
}
UNREADABLE = (Problem.BAD_TREE, Problem.BAD_VALUE)  # who may sign in
NO_ROOM = (Problem.NO_ROOM, Problem.OLD_NOT_COPIED)
HOOKS = (REINSTALL.name, CONFIGURE.name)


def of(user: User, operation: Operation, *, still: bool) -> Rescue | None:
    """Of one that failed. still: whether its container is as it left it."""
    container = operation.container
    ended = operation.state in (Progress.FAILED, Progress.INTERRUPTED, Progress.CANCELLED)
    if not operation.of_kind.drafted or not ended or not container:
        return None
    steps = list(operation.steps.all())
    note = old_system(container, steps)
    if not still or not note:
        return Rescue(note=note)
    return Rescue(
        ways=allowed(user, container, ways_round(operation)),
        again=user.has_perm("containers.reinstall_container", container),
        note=note,
        editable=editable(user, container, hook_of(operation)),
    )


def ways_round(operation: Operation) -> list[Way | None]:
    """What gets round what failed."""
    if operation.problem in NO_ROOM:
        return [aside()]
    if operation.script in BY_SCRIPT:
        return [BY_SCRIPT[operation.script]()]
    if operation.problem in UNREADABLE and not operation.params.get("resetpwdb"):
        return [only_root()]
    return []


def hook_of(operation: Operation) -> str:
    _, action = operation.script or ("", "")
    return action if action in HOOKS else ""


def old_system(container: Container, steps: list[OperationStep]) -> str:
    """Empty once the new system was there to stay, or where nobody can tell."""
    if any(step.key == COMMIT.key and step.state == StepState.DONE for step in steps):
        return ""
    stuck = {step.key for step in steps if step.state == StepState.UNDO_FAILED}
    if not stuck:
        return f"Nothing is lost: {container.hostname} has the system it had before."
    if stuck == {START_OLD.key}:
        return f"Nothing is lost: {container.hostname} has its old system, but it did not start."
    return ""


def allowed(user: User, container: Container, ways: list[Way | None]) -> list[Way]:
    return [w for w in ways if w and user.has_perm(f"containers.{w.permission}", container)]


def editable(user: User, container: Container, hook: str) -> list[tuple[str, str]]:
    """The hook that failed, its own or else the global one, for those who may edit it."""
    if not hook or not user.has_perm("containers.edit_scripts", container):
        return []
    slots = [slot for slot in lifecycle.scripts(container) if slot.target.action.name == hook]
    ran = next((s for s in sorted(slots, key=lambda s: not s.target.container) if s.runs), None)
    return [(ran.url, f"Edit {ran.target.short}")] if ran else []
