"""What a container shall be: making one, and changing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import models

from containers.forms.fields import RangeField
from containers.forms.passwords import AccessForm
from containers.forms.settings import SettingsFields
from containers.forms.shared import Shared
from containers.models import Container, Operation, Template, Via
from containers.models.container import CTIDS, HIGHEST
from containers.node.errors import BadValue, Code, OperationError
from containers.node.setting import Section, Setting
from containers.node.settings import TABLE, named
from containers.node.values import UNLIMITED

FIRST = 101  # the lowest CT ID that is suggested: vzctl keeps 1 to 100 for itself
FAVOURITE = "debian-12"  # what most people want comes first
FIELD_OF = {Code.EXISTS: "ctid", Code.NAME: "name", Code.ADDRESS_IN_USE: "ips"}
ACCESS = "Access"


class Addressing(models.TextChoices):
    POOL = "pool", "One from the node's pool: it reaches out through the node (NAT)"
    OWN = "own", "These"
    NONE = "none", "None"


class Refusing(SettingsFields):
    def refuse(self, error: OperationError) -> None:
        """What only the rows could tell, beside the field it is about."""
        name = FIELD_OF.get(Code(error.code)) if error.code in list(Code) else None
        self.add_error(name if name in self.fields else None, f"{error}")


class CreateForm(Refusing, AccessForm):
    """A new container."""

    sections = (
        Section.IDENTITY, ACCESS, Section.LIMITS, Section.NETWORK, Section.STARTING,
    )  # fmt: skip
    beside = {
        Section.IDENTITY: ("ctid",),
        ACCESS: ("password_choice", "password", "sshkeys"),
        Section.NETWORK: ("addressing",),
        Section.STARTING: ("start",),
    }
    shown_for = {"password": "password_choice=type", "ips": "addressing=own"}

    ctid = RangeField(CTIDS, label="CT ID", help_text="Can't be changed later")
    template = forms.ModelChoiceField(
        Template.objects.none(), empty_label=None, widget=forms.RadioSelect
    )
    addressing = forms.ChoiceField(
        label="Addresses",
        choices=Addressing.choices,
        initial=Addressing.POOL,
        widget=forms.RadioSelect,
    )
    start = forms.BooleanField(label="Start it once it's created", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        templates = newest_templates()
        nodes = {template.node for template in templates}
        one = nodes.pop() if len(nodes) == 1 else None
        known = {"defaults": one.defaults(), "facts": one.facts} if one else {"defaults": {}}
        super().__init__(*args, **known, **kwargs)
        choice: Any = self.fields["template"]
        choice.queryset = Template.objects.filter(pk__in=[t.pk for t in templates])
        for name, when in self.shown_for.items():
            self.fields[name].shown_for = when  # type: ignore[attr-defined]

    def settings(self) -> Iterable[Setting]:
        return [setting for setting in TABLE if setting.created]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("addressing") == Addressing.OWN and data.get("ips") == []:
            self.add_error("ips", "Give at least one address, or choose another way.")
        if template := data.get("template"):
            self.check_bounds(template.node.facts)
            self.fill_in(template.node.defaults())
        return data

    def request(self, *, by: User, via: str = Via.BROWSER) -> Operation | None:
        """Make the row, queue the operation; None when it could not be, with errors added."""
        template: Template = self.cleaned_data["template"]
        addresses = {
            Addressing.POOL: None,
            Addressing.OWN: self.cleaned_data["ips"],
            Addressing.NONE: [],
        }[Addressing(self.cleaned_data["addressing"])]
        try:
            return Container.make(
                self.cleaned_data["ctid"],
                node=template.node,
                template=template,
                addresses=addresses,
                by=by,
                via=via,
                params={**self.access(), "start": self.cleaned_data["start"]},
                **self.shall(),
            )
        except OperationError as error:
            self.refuse(error)
            return None


class SettingsForm(Shared, Refusing):
    """What staff may change of a container."""

    notes = {Section.LIMITS: "hold at once, also while it runs"}

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        values = {s.name: container.value_of(s.name) for s in self.settings()}
        initial = {name: getattr(value, "pk", value) for name, value in values.items()}
        endless = [s.name for s in self.settings() if s.may_be_endless and values[s.name] is None]
        initial |= dict.fromkeys(endless, UNLIMITED)
        node = container.node
        known = {"defaults": node.defaults(), "facts": node.facts, "initial": initial}
        super().__init__(*args, **known, **kwargs)
        self.container = container

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self.check_bounds(self.container.node.facts)
        self.fill_in(self.container.node.defaults())
        return data

    def request(self, *, by: User, via: str = Via.BROWSER) -> Operation | None:
        """Have its node change what was changed. Raises Busy.

        None when the node need not know of it: then it is in force; or when it could not be, with
        the form's errors.
        """
        changed = [named(name) for name in self.changed]
        shall = {s.name: self.cleaned_data[s.name] for s in changed if s.in_row}
        has, wanted = self.container.addresses, self.cleaned_data.get("ips")
        try:
            if all(setting.at_once for setting in changed):
                self.container.decide(**shall)
                return None
            return self.container.change(
                add=[ip for ip in wanted or [] if ip not in has],
                drop=[ip for ip in has if wanted is not None and ip not in wanted],
                by=by,
                via=via,
                **shall,
            )
        except BadValue as error:
            self.refuse(error)
            return None

    @property
    def changed(self) -> list[str]:
        """The settings that are to be others; an empty field may stand for what is in force."""
        return [name for name in self.changed_data if not self.as_it_is(named(name))]

    def as_it_is(self, setting: Setting) -> bool:
        value = self.container.value_of(setting.name)
        return setting.has_default and self.cleaned_data[setting.name] == value


class OwnersForm(SettingsForm):
    """What a customer may change of a container."""

    def settings(self) -> Iterable[Setting]:
        return [setting for setting in TABLE if setting.owners]


def lowest_free() -> int:
    taken = set(Container.objects.filter(ctid__gte=FIRST).values_list("ctid", flat=True))
    return next(ctid for ctid in range(FIRST, HIGHEST) if ctid not in taken)


def newest_templates(*, offered: bool = False) -> list[Template]:
    """The newest version of each, the favourite first. offered: of those that customers may have,
    so that one which is not leaves them the version before."""
    newest: dict[tuple[int, str], Template] = {}
    found = Template.objects.filter(removed=False)
    for template in (found.filter(offered=True) if offered else found).order_by("version"):
        newest[template.node_id, template.name] = template
    return sorted(newest.values(), key=lambda t: (t.name != FAVOURITE, t.name, t.node_id))
