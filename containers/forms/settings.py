"""The fields of a container's settings, made from their table (node/settings.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from containers.forms.fields import CheckedField, WordsField, checked
from containers.node.setting import Section, Setting, Type
from containers.node.settings import TABLE
from containers.node.values import UNLIMITED


class LimitField(forms.DecimalField):
    """A number with a range, or nothing; whatever else is typed gets the range as its answer.

    Of a limit that may be none of the range, nothing stands for the node's default, which is for
    the form to know: no limit has to be typed.
    """

    def __init__(self, setting: Setting, **options: Any) -> None:
        self.setting = setting
        self.facts: Mapping[str, Any] = {}  # of the node, where that is known: the range is its
        places = 2 if setting.type is Type.FRACTION else 0
        super().__init__(required=False, decimal_places=places, widget=forms.TextInput(), **options)
        if not setting.may_be_endless:
            self.widget.attrs.update(inputmode="decimal")

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Any:
        """What can't be a number stays what it is: clean answers it."""
        try:
            return super().to_python(value)
        except ValidationError:
            return value

    def clean(self, value: Any) -> Any:
        text = f"{value}".strip() if value is not None else ""
        if not text or (text.lower() == UNLIMITED and self.setting.may_be_endless):
            return None
        try:
            number: Any = Decimal(text)
        except InvalidOperation:
            number = "nothing"
        try:
            return checked(self.setting.clean, number)
        except ValidationError:
            return checked(self.setting.clean, number, self.facts)


def field_of(setting: Setting) -> forms.Field:
    return FIELDS[setting.type](setting)


def words(setting: Setting) -> dict[str, Any]:
    help = setting.help if setting.running else f"{setting.help} (from its next start on)".strip()
    return {"label": setting.label, "help_text": help}


FIELDS: dict[Type, Callable[[Setting], forms.Field]] = {
    Type.LINE: lambda s: CheckedField(s.clean, required=s.required, **words(s)),
    Type.NUMBER: lambda s: LimitField(s, **words(s)),
    Type.FRACTION: lambda s: LimitField(s, **words(s)),
    Type.WORDS: lambda s: WordsField(s.clean, **words(s)),
    Type.CHOICE: lambda s: forms.ChoiceField(required=False, choices=s.choices, **words(s)),
    Type.SWITCH: lambda s: forms.BooleanField(required=False, **words(s)),
    Type.PERSON: lambda s: forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody: staff only", **words(s)
    ),
    Type.ADDRESSES: lambda s: WordsField(s.clean, **words(s)),
}


@dataclass(frozen=True)
class Card:
    """A section of a page. rows: fields side by side, or one that stands alone."""

    title: str
    note: str
    rows: list[list[forms.BoundField]] = field(default_factory=list)


class SettingsFields(forms.Form):
    """A form that has some of the settings, beside fields of its own.

    beside: names of those by the section that they are shown in, ahead of its settings.
    """

    beside: dict[str, tuple[str, ...]] = {}
    notes: dict[str, str] = {}
    sections: tuple[str, ...] = tuple(Section)

    def __init__(
        self,
        *args: Any,
        defaults: Mapping[str, Any],
        facts: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """defaults: of limits that are left empty, as far as they are known already; facts: of
        the node, likewise.
        """
        super().__init__(*args, **kwargs)
        for setting in self.settings():
            self.fields[setting.name] = made = field_of(setting)
            if isinstance(made, LimitField):
                made.facts = facts or {}
            if setting.has_default:
                made.help_text += what_empty_gives(setting, defaults)
            if isinstance(made, forms.ModelChoiceField):
                mine = models.Q(pk=self.initial.get(setting.name))
                people = User.objects.filter(models.Q(is_active=True) | mine)
                made.queryset = people.order_by("username")

    def settings(self) -> Iterable[Setting]:
        return TABLE

    def fill_in(self, defaults: Mapping[str, Any]) -> None:
        """Limits that were left empty are the node's defaults; none had to be typed."""
        for setting in self.settings():
            if setting.has_default and not f"{self[setting.name].data or ''}".strip():
                self.cleaned_data[setting.name] = defaults.get(setting.name)

    def check_bounds(self, facts: dict[str, Any]) -> None:
        """What is new is to be there on the node: more memory than it has is no limit."""
        for setting in self.settings():
            name = setting.name
            if setting.range and name in self.changed_data and name in self.cleaned_data:
                try:
                    checked(setting.clean, self.cleaned_data[name], facts)
                except ValidationError as error:
                    self.add_error(name, error)

    def shall(self) -> dict[str, Any]:
        """The values of its settings that are columns, by name."""
        data = self.cleaned_data
        return {s.name: data[s.name] for s in self.settings() if s.in_row and s.name in data}

    def cards(self) -> list[Card]:
        return [card for card in map(self.card, self.sections) if card.rows]

    def card(self, section: str) -> Card:
        found = [(False, self[name]) for name in self.beside.get(section, ())]
        found += [
            (setting.wide or setting.type is Type.SWITCH, self[setting.name])
            for setting in self.settings()
            if setting.section == section
        ]
        rows: list[list[forms.BoundField]] = []
        for alone, group in groupby(found, key=lambda each: each[0] or lone(each[1])):
            fields = [each for _, each in group]
            rows += [[each] for each in fields] if alone else [fields]
        return Card(section, self.notes.get(section, ""), rows)


def what_empty_gives(setting: Setting, defaults: Mapping[str, Any]) -> str:
    if setting.name not in defaults:
        found = "its node's default"
    elif (value := defaults[setting.name]) is None:
        found = "no limit, this node's default"
    else:
        unit = f" {setting.range.unit}" if setting.range and setting.range.unit else ""
        found = f"{Decimal(f'{value}').normalize():f}{unit}, this node's default"
    return f"; empty: {found}" + (f"; {UNLIMITED}: no limit" if setting.endless else "")


def lone(field: forms.BoundField) -> bool:
    """Whether a field takes the whole width."""
    return not isinstance(field.field.widget, forms.TextInput | forms.NumberInput | forms.Select)
