"""What was found out about a reinstallation before it is confirmed, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User

from containers.forms.reinstallation import Access, Draft, Keep
from containers.kind import known
from containers.models import Container, OperationStep, Template, approval
from containers.models.replaced_system import undo_until
from containers.node.operations.stop import OWN_STOP
from containers.node.states import State
from containers.node.wording import capitalized
from containers.views.reinstallation import remedies
from containers.views.reinstallation.remedies import Way
from containers.views.sizes import in_units

MIB = 1 << 20
LITTLE = 64 * MIB  # that a new system takes of the pool in any case
GOOD, WARNING, STOPS = "good", "warning", "stop"
Answer = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """level stop: it would fail for certain, so it is not begun."""

    level: str
    text: str
    ways: list[Way] = field(default_factory=list)


def checks(
    user: User, container: Container, draft: Draft, template: Template, answer: Answer
) -> list[Check]:
    """The answer is that of a node's inquiry (containers/node/preflight.py)."""
    found = [
        template_there(answer, template),
        lock_free(answer),
        fits(draft, container, answer),
        pool_has_room(draft, answer),
        kept_fits(draft, answer),
        can_be_stopped(container, draft, answer),
        credentials(draft, answer),
        hooks(user, answer),
        approved(user, container),
    ]
    return [
        Check(c.level, c.text, remedies.allowed(user, container, [*c.ways])) for c in found if c
    ]


def template_there(answer: Answer, template: Template) -> Check:
    if answer["template"]:
        return Check(STOPS, f"{template} is no longer on the node. Choose another system.")
    return Check(GOOD, f"The template {template} is on the node.")


def lock_free(answer: Answer) -> Check | None:
    if answer["locked"]:
        return Check(STOPS, "Somebody is working on the container on its node. Try again later.")
    return None


def fits(draft: Draft, container: Container, answer: Answer) -> Check | None:
    """The rule of the node (steps/reinstalling.py): both systems within the disk limit."""
    old, new, limit = answer["old"]["bytes"], answer["new"], container.diskspace
    if draft.keep != Keep.OLD:
        return None
    if old is None or new is None:
        return Check(WARNING, "The size of the old files could not be measured in time.")
    room = f"The old files ({in_units(old)}) and the new system ({in_units(new)})"
    if not (answer["limited"] and limit):
        return Check(GOOD, f"{room} fit, because this container has no disk limit.")
    size = in_units(limit * MIB)
    if old + new > limit * MIB:
        ways = [way for way in [remedies.aside()] if way]
        return Check(STOPS, f"{room} don't both fit in its {size} of disk.", ways)
    return Check(GOOD, f"{room} fit in its {size} of disk.")


def pool_has_room(draft: Draft, answer: Answer) -> Check | None:
    """Copies on btrfs share what they have in common; elsewhere they take room of their own."""
    free, old = answer["pool"]["free"], answer["old"]
    copied = draft.keep == Keep.OLD and not answer["shared"]
    needed = LITTLE + (0 if answer["shared"] else answer["new"] or 0)
    needed += (old["bytes"] or 0) if copied else 0
    if free < needed:
        left, wanted = in_units(free), in_units(needed)
        ways = [way for way in [remedies.aside()] if way and copied]
        return Check(
            STOPS, f"The node has only {left} of disk left, and {wanted} are needed.", ways
        )
    if not draft.erases and free < answer["pool"]["reserve"]:
        left, spare = in_units(free), in_units(answer["pool"]["reserve"])
        said = f"The node's disk has {left} left, and new things leave {spare} of it free."
        return Check(STOPS, f"{said} Only a reinstallation that keeps nothing makes room.")
    inodes = answer["pool"]["inodes_free"]
    if inodes is not None and copied and (old["files"] or 0) >= inodes:
        return Check(STOPS, f"The node's disk has room for only {inodes} more files.")
    return Check(GOOD, "The node has enough disk space.")


def kept_fits(draft: Draft, answer: Answer) -> Check | None:
    """The rule of the node (steps/room.py)."""
    counted = answer["kept"]
    if draft.erases or not undo_until() or not counted:
        return None
    said = f"{in_units(counted['bytes'])} of {in_units(counted['allowed'])}"
    if counted["bytes"] > counted["allowed"]:
        return Check(
            STOPS,
            f"Snapshots and replaced systems would count {said} that they may have beside its"
            " disk. Delete snapshots, or keep nothing of the old system.",
        )
    return Check(GOOD, f"Snapshots and replaced systems will count {said} that they may have.")


def can_be_stopped(container: Container, draft: Draft, answer: Answer) -> Check | None:
    runs = answer["running"] and answer["scripts"]["stop"] and not draft.without_own_scripts
    if not runs or draft.without_stop_script:
        return None
    ways = [remedies.without_stop_script()]
    if not answer["shell"]:
        said = "Its stop script can't run, because the container no longer has a shell."
        return Check(STOPS, said, ways)
    if stop_failed_last(container):
        said = "Its stop script failed last time. If it fails again, nothing is changed."
        return Check(WARNING, said, ways)
    return None


def stop_failed_last(container: Container) -> bool:
    ran = OperationStep.objects.filter(operation__container=container, key=OWN_STOP.key)
    last = ran.exclude(began=None).order_by("-pk").first()
    return bool(last and last.state == "failed")


def credentials(draft: Draft, answer: Answer) -> Check | None:
    if draft.access != Access.KEEP:
        return None
    if answer["credentials"]:
        said = f"Users and passwords can't be carried over. {answer['credentials']}"
        return Check(STOPS, said, [remedies.only_root()])
    named = ", ".join(answer["users"])
    return Check(GOOD, f"Users and passwords can be carried over{named and f': {named}'}.")


WHOSE = {"own": "made for this container", "global": "for all containers of the node"}


def hooks(user: User, answer: Answer) -> Check | None:
    """Staff read names; a customer what it means."""
    by_hook, configured = answer["hooks"]["reinstall"], answer["hooks"]["configure"]
    said = []
    if by_hook:
        name = "vps.reinstall" if user.is_staff else "The hosting staff's set-up script"
        said.append(
            f"{name} ({WHOSE[by_hook]}) makes the new system, or leaves that to the template"
        )
    if configured:
        name = "vps.configure" if user.is_staff else "a set-up script"
        said.append(
            f"{name} ({WHOSE[configured]}) runs in the new system, with the old files at /old"
        )
    if not said:
        return None
    text = "; ".join(said)
    return Check(GOOD, f"{capitalized(text)}.")


def approved(user: User, container: Container) -> Check | None:
    """What the node would refuse, whatever else is well."""
    state = State(container.state)
    found = approval.blocking(container.node, container.ctid, state, known("reinstall"))
    return Check(STOPS, found.refusal.told(staff=user.is_staff)) if found else None


def refused(found: list[Check]) -> bool:
    return any(check.level == STOPS for check in found)
