"""Fields whose values the node's own validators check, in the node's own sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError

from containers.node.access import accounts
from containers.node.checks import Range
from containers.node.errors import OperationError
from containers.node.lines import lines_in

T = TypeVar("T")
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def checked(validate: Callable[..., T], *args: Any) -> T:
    """What a validator makes of a value; its refusal as a form's error."""
    try:
        return validate(*args)
    except OperationError as error:
        raise ValidationError(f"{error}", code=f"{error.code}") from error


def between(what: str, least: int, most: int) -> dict[str, str]:
    """What is wrong with a number that is out of its range."""
    said = f"{what} must be between {least} and {most}."
    return {"min_value": said, "max_value": said}


class RangeField(forms.IntegerField):
    """A whole number with a range: whatever else is typed gets the range as its answer."""

    def __init__(self, range: Range, **options: Any) -> None:
        self.range = range
        super().__init__(
            min_value=int(range.lowest), max_value=int(range.highest), localize=False, **options
        )

    def clean(self, value: Any) -> Any:
        text = f"{value}".strip() if value is not None else ""
        return int(checked(self.range.clean, text) or 0) if text else super().clean(value)


class CheckedField(forms.CharField):
    """A line of text."""

    def __init__(self, check: Callable[[str], str], **options: Any) -> None:
        self.check = check
        super().__init__(**options)
        self.widget.attrs.update(PLAIN)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return checked(self.check, text) if text else ""


class WordsField(forms.CharField):
    """Values with spaces or commas between them, checked together."""

    def __init__(self, check: Callable[[list[str]], list[str]], **options: Any) -> None:
        self.check = check
        super().__init__(required=False, **options)
        self.widget.attrs.update(PLAIN)

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        text: str = super().clean(value)
        return checked(self.check, list(dict.fromkeys(text.replace(",", " ").split())))


class KeysField(forms.CharField):
    """OpenSSH public keys, one a line."""

    def __init__(self, **options: Any) -> None:
        attrs = {"rows": 2, "spellcheck": "false", "placeholder": "ssh-ed25519 AAAA… name"}
        super().__init__(required=False, widget=forms.Textarea(attrs=attrs), **options)

    def clean(self, value: Any) -> list[str]:
        sent = super().clean(value).replace("\r\n", "\n")
        return [checked(accounts.validate_key, line) for line in lines_in(sent) if line.strip()]
