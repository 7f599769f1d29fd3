"""What may be done about an operation that ended badly, by whoever looks at it: as buttons.

The same stand on the operation's page and in the red box of its container, until it is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.urls import reverse

from containers.models import Container, Operation, unanswered, way_out
from containers.models.way_out import WayOut
from containers.node import actions
from containers.node.actions import Scope
from containers.permissions import EDIT_SCRIPTS, SKIP_STOP_SCRIPT
from containers.views.reinstallation import remedies
from containers.views.reinstallation.remedies import Rescue
from containers.views.scripts import editor
from containers.views.scripts.addresses import address


@dataclass(frozen=True)
class Button:
    """A link to url; or, with fields, a form that posts them there."""

    word: str
    icon: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class WaysOut:
    """why: the failure. note: whose script it was, and whom to ask. url: where it is dismissed."""

    operation: Operation
    why: str
    buttons: list[Button]
    note: str
    rescue: Rescue | None
    url: str


def standing(user: User, container: Container) -> list[WaysOut]:
    """Of each failure that nothing has answered yet, the last first."""
    return [of(user, operation) for operation in unanswered.of(container)]


def of(user: User, operation: Operation) -> WaysOut:
    container = operation.container
    still = container is None or stands(container, operation)
    drafted = operation.of_kind.drafted
    buttons = []
    if container and still and not drafted:
        buttons = [button(way, container, operation) for way in allowed(user, operation)]
    buttons += foreign(user, operation) if still and not operation.answered else []
    note = whose(user, operation) if still else ""
    rescue = remedies.of(user, operation, still=still)
    if still and not (note or buttons or rescue or user.is_staff):
        note = f"Ask the hosting staff, and name operation {operation.pk}."
    why = operation.told(staff=user.is_staff)
    return WaysOut(operation, why, buttons, note, rescue, answer_url(user, operation))


def stands(container: Container, operation: Operation) -> bool:
    """Whether it ended badly, and the container is as it left it still."""
    if operation.state not in unanswered.ENDED_BADLY:
        return False
    if operation in unanswered.of(container, unanswered.ENDED_BADLY, dismissed=True):
        return True
    return container.operations.first() == operation


def allowed(user: User, operation: Operation) -> list[WayOut]:
    container = operation.container
    return [
        way
        for way in way_out.of(operation)
        if user.has_perm(f"containers.{way.permission}", container)
        and (not way.kind or user.has_perm(f"containers.{way.kind.permission}", container))
    ]


def button(way: WayOut, container: Container, operation: Operation) -> Button:
    if way.target:
        return Button(way.word, way.icon, address(way.target))
    if way.page or not way.kind:
        more = " …" if way.kind else ""
        return Button(f"{way.word}{more}", way.icon, reverse(way.page, args=[container.ctid]))
    if way.params or way.kind.asking(container).asks:
        query = f"?{urlencode(way.params)}" if way.params else ""
        url = f"{reverse('request', args=[container.ctid, way.kind.name])}{query}"
        return Button(f"{way.word} …", way.icon, url)
    name = "again" if way.kind.name == operation.kind else f"on-{way.kind.name}"
    url = reverse("requests", args=[container.ctid])
    return Button(way.word, way.icon, url, {"kind": way.kind.name}, name)


def foreign(user: User, operation: Operation) -> list[Button]:
    """A file that the panel did not write: to import it, or put the panel's in its place."""
    container, place = operation.container, editor.place_in(operation)
    if not place or not user.has_perm(f"containers.{EDIT_SCRIPTS}", container):
        return []
    url, word = address(place, "foreign"), "Replace the file with the panel's"
    fields = {"do": "replace"}
    replace = Button(word, "script", url, fields, "replace")
    if place.container:
        fields = {"kind": operation.kind, "replace_scripts": "1"}
        requests = reverse("requests", args=[place.container.ctid])
        replace = Button(f"{word}, and try again", "script", requests, fields, "replace")
    return [Button("Import the file …", "edit", url), replace]


def whose(user: User, operation: Operation) -> str:
    """For those who can't change the script that failed."""
    container = operation.container
    if not container or not operation.script:
        return ""
    if user.has_perm(f"containers.{EDIT_SCRIPTS}", container):
        return ""
    scope, name = operation.script
    action = actions.BY_NAME.get(name)
    ask = f"Ask them, and name operation {operation.pk}."
    if action is None or scope != Scope.OWN:
        return f"It is a script of the server, which only the hosting staff can change. {ask}"
    instead = ""
    if action == actions.STOP and not user.has_perm(f"containers.{SKIP_STOP_SCRIPT}", container):
        instead = ", or stop the container without it"
    said = f"Its {action} {action.noun} is kept by the hosting staff; only they can change it"
    return f"{said}{instead}. {ask}"


def answer_url(user: User, operation: Operation) -> str:
    """Empty for those who can't dismiss its failure."""
    permission = operation.of_kind.permission
    if operation.answered or operation.state not in unanswered.FAILED or not operation.container:
        return ""
    if not user.has_perm(f"containers.{permission}", operation.container):
        return ""
    return reverse("answer", args=[operation.pk])
