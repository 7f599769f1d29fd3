"""What an operation on a container asks beside its kind: a form made of the kind's params."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from containers.forms.fields import PLAIN
from containers.kind import Kind, Param
from containers.models import Container
from containers.permissions import Permission


def form_of(kind: Kind) -> type[Any]:
    """The form of its own that the page of a kind has."""
    form: type[Any] = import_string(f"containers.forms.{kind.form}")
    return form


class RequestForm(forms.Form):
    """What a kind asks of this container."""

    def __init__(self, *args: Any, kind: Kind, container: Container, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.container = kind, container
        self.asked = [each for each in kind.params if each.asked and each.wanted(container)]
        self.fields.update({each.name: field_of(each) for each in self.asked})

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for param in self.asked:
            value = data.get(param.name)
            if param.length and value and (wrong := param.check(value, self.container)):
                self.add_error(param.name, ValidationError(wrong))
            other, why = param.needs
            if other and value and not data.get(other):
                self.add_error(other, ValidationError(why))
        return data

    @property
    def params(self) -> dict[str, Any]:
        given = {p.name: self.cleaned_data[p.name] for p in self.asked if p.kept}
        return self.kind.told({name: value for name, value in given.items() if value})

    @property
    def focused(self) -> bool:
        """Whether one of its fields has the focus."""
        return any(param.focus for param in self.asked)

    @property
    def why(self) -> str:
        """The reason to keep with the operation."""
        return str(self.cleaned_data.get("reason", ""))

    @property
    def permissions(self) -> list[Permission]:
        """What it takes beyond the permission for its kind."""
        return [p.permission for p in self.asked if p.permission and self.cleaned_data[p.name]]


def field_of(param: Param) -> forms.Field:
    errors = {"required": param.required} if param.required else None
    options: dict[str, Any] = {
        "label": param.label,
        "help_text": param.help,
        "required": bool(param.required),
        "error_messages": errors,
    }
    if param.hidden:
        return forms.BooleanField(required=False, widget=forms.HiddenInput)
    if not param.length:
        return forms.BooleanField(**options)
    attrs = {**PLAIN, **({"autofocus": True} if param.focus else {})}
    return forms.CharField(
        max_length=param.length,
        strip=not param.raw,
        widget=forms.TextInput(attrs={} if param.name == "reason" else attrs),
        **options,
    )
