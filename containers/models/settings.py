"""The columns of a container's settings, made from their table (node/settings.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from containers.node.setting import Setting, Type
from containers.node.settings import TABLE, named

COLUMNS: dict[Type, Callable[[Setting], models.Field[Any, Any]]] = {
    Type.LINE: lambda s: models.CharField(max_length=s.longest, blank=not s.required),
    Type.NUMBER: lambda s: models.PositiveIntegerField(null=True, blank=True),
    Type.FRACTION: lambda s: models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True
    ),
    Type.WORDS: lambda s: models.JSONField(default=list, blank=True),
    Type.CHOICE: lambda s: models.CharField(max_length=s.longest, blank=True, default=""),
    Type.SWITCH: lambda s: models.BooleanField(default=False),
    Type.PERSON: lambda s: models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="containers",
    ),
}


class Settings(models.Model):
    """What a container is set to, as far as that is in force.

    Labels and help are the forms': a column with words in it would want a migration for each.
    """

    class Meta:
        abstract = True

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def value_of(self, name: str) -> Any:
        """The value in force of any setting, one that is rows of its own too."""
        return getattr(self, "addresses" if name == "ips" else name)

    def told(self) -> dict[str, Any]:
        """The settings as a node is told them, in JSON."""
        return {s.name: s.plain(self.value_of(s.name)) for s in TABLE if not s.at_once}


for each in TABLE:
    if each.in_row:
        Settings.add_to_class(each.name, COLUMNS[each.type](each))


def cleaned(shall: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Columns by name, checked; facts: of the node.

    Raises BadValue; TypeError for an unknown name.
    """
    return {name: in_row(name).clean(value, facts) for name, value in shall.items()}


def in_row(name: str) -> Setting:
    setting = named(name)
    if not setting.in_row:
        raise TypeError(f"{name} is no column")
    return setting
