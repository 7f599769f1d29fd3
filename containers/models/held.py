"""What a container was set to when a snapshot of it was made, and how that differs from now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models

from containers.models.container import Container
from containers.models.judged import Judged
from containers.models.settings import cleaned
from containers.models.template import Template
from containers.node.setting import Setting
from containers.node.settings import TABLE, named

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class Difference:
    """A setting that was changed since a snapshot was made; its values as a node is told them."""

    name: str
    then: Any
    now: Any

    @property
    def setting(self) -> Setting:
        return named(self.name)

    def may(self, by: User | None) -> bool:
        """Whether somebody may have the value of then again; nobody is root on the node."""
        return by is None or by.is_staff or self.setting.owners


def held_by(container: Container) -> dict[str, Any]:
    """What a container has of the settings that a restore may bring back, as told to a node."""
    told = container.told()
    return {s.name: told[s.name] for s in TABLE if s.restored}


class Held(Judged):
    """What is known of it beside its row: its template, and settings that may be taken back."""

    if TYPE_CHECKING:
        container: models.ForeignKey[Container, Container]

    class Meta:
        abstract = True

    def changed_since(self) -> list[Difference]:
        """The settings that it would not bring back by itself, as they were and as they are."""
        then = self.facts.get("settings") or {}
        return [
            Difference(name, then[name], value)
            for name, value in held_by(self.container).items()
            if name in then and then[name] != value
        ]

    def takeable(self, by: User | None) -> dict[str, Any]:
        """Those of then that somebody may have again. Raises BadValue for what its node has not."""
        then = {each.name: each.then for each in self.changed_since() if each.may(by)}
        stored = {name: named(name).stored(value) for name, value in then.items()}
        cleaned(stored, self.container.node.facts)
        return then

    @property
    def template_then(self) -> str:
        """NAME@N of the template that its disk was made of; empty where that is not known."""
        return f"{self.facts.get('template') or ''}"

    def template_row(self) -> Template | None:
        name, _, version = self.template_then.partition("@")
        found = Template.objects.filter(node=self.container.node_id, name=name)
        return found.filter(version=int(version or 0)).first()
