"""Ways on when a reinstallation can't go its usual way; each is one button, and says its price."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.template.defaultfilters import date
from django.utils.timezone import localtime

from containers.models import Container, Operation, OperationStep
from containers.models.replaced_system import undo_until
from containers.node.actions import START, STOP
from containers.node.journal import FORMER
from containers.node.states import Progress, StepState
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


# The step that failed, and what gets round it
BY_STEP = {
    f"own-{STOP}": without_stop_script,
    f"own-{START}": without_own_scripts,
    "room": aside,
    "keep-old": aside,
}
HOOK_STEPS = {"vps-reinstall": "reinstall", "vps-configure": "configure"}
UNREADABLE = ("begin-new", FORMER["begin-new"])


def of(user: User, operation: Operation) -> Rescue | None:
    """Of one that failed, while nothing else has happened to its container since."""
    container = operation.container
    ended = operation.state in (Progress.FAILED, Progress.INTERRUPTED, Progress.CANCELLED)
    if not operation.of_kind.drafted or not ended or not container:
        return None
    steps = list(operation.steps.all())
    note = old_system(container, steps)
    if container.operations.first() != operation or not note:
        return Rescue(note=note)
    failed = next((s.key for s in steps if s.state == StepState.FAILED and not s.undo), "")
    found = [BY_STEP[failed]()] if failed in BY_STEP else []
    if failed in UNREADABLE and not operation.params.get("resetpwdb"):
        found.append(only_root())
    return Rescue(
        ways=allowed(user, container, found),
        again=user.has_perm("containers.reinstall_container", container),
        note=note,
        editable=editable(user, container, HOOK_STEPS.get(failed, "")),
    )


def old_system(container: Container, steps: list[OperationStep]) -> str:
    """Empty once the new system was there to stay, or where nobody can tell."""
    if any(step.key == "commit" and step.state == StepState.DONE for step in steps):
        return ""
    stuck = {step.key for step in steps if step.state == StepState.UNDO_FAILED}
    if not stuck:
        return f"Nothing is lost: {container.hostname} has the system it had before."
    if stuck == {"start-old"}:
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
