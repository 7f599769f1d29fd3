"""A form on what others may change meanwhile."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    Base = forms.BaseForm
else:
    Base = object

SEEN = "seen"  # the name under which a page sends what it showed


class Shared(Base):
    """What others saved since the page was made is neither undone nor overlooked.

    A page has {{ form.seen }} in its form. What its reader left as it was stays as it is by now.
    What both have changed, to different values, is refused once: sent again, it is put in place of
    theirs. Without that field, as from a program, what is sent counts.
    """

    overtaken: tuple[str, ...] = ()  # names of the fields that both have changed

    def full_clean(self) -> None:
        seen, stands = self.read(), self.standing()
        both = {}
        for name in seen.keys() & stands.keys():
            mine = text(self[name].data)
            if mine == seen[name] != stands[name]:
                self.put(name, stands[name])
            elif seen[name] not in (mine, stands[name]) and mine != stands[name]:
                both[name] = self.worded(name, stands[name])
        super().full_clean()
        self.overtaken = tuple(both)
        for name, theirs in both.items():
            self.add_error(
                name, f"Somebody has changed this meanwhile, to {theirs}. Yours is not saved yet."
            )

    @property
    def status(self) -> int:
        """That of the page which shows the form."""
        if self.overtaken:
            return HTTPStatus.CONFLICT
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.errors else HTTPStatus.OK

    @property
    def seen(self) -> SafeString:
        """What the page shows its reader as the present values."""
        return format_html('<input type="hidden" name="{}" value="{}">', SEEN, self.shown)

    @property
    def shown(self) -> str:
        return json.dumps(self.standing())

    def read(self) -> dict[str, str]:
        """What the page had shown that was sent."""
        try:
            found = json.loads(self.data.get(SEEN, "")) if self.is_bound else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def standing(self) -> dict[str, str]:
        return {
            name: text(field.prepare_value(self.get_initial_for_field(field, name)))
            for name, field in self.fields.items()
        }

    def put(self, name: str, value: str) -> None:
        """In the place of what was sent."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix(name)] = value
        if not value and isinstance(self.fields[name], forms.BooleanField):
            del data[self.add_prefix(name)]
        self.data = data

    def worded(self, name: str, value: str) -> str:
        field = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return "on" if value else "off"
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            value = next((f"{label}" for key, label in choices if f"{key}" == value), value)
        return f"“{value}”" if value else "nothing"


def text(value: Any) -> str:
    """As a field sends it, however it is spaced."""
    if isinstance(value, bool):
        return "on" if value else ""
    return " ".join(f"{value}".split()) if value is not None else ""
