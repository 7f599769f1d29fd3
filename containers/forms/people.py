"""The people who sign in, and what staff decide about them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from containers.forms.shared import Shared

OWN_RIGHTS = {
    "is_staff": "You can't remove your own staff role.",
    "is_active": "You can't disable your own account.",
}


class PersonForm(Shared, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["username", "email", "is_staff", "is_active"]
        field_classes = {"username": UsernameField}
        labels = {
            "username": "User name",
            "email": "Mail address",
            "is_staff": "Hosting staff",
            "is_active": "May sign in",
        }
        help_texts = {
            "username": "Letters, digits and @ . + - _",
            "is_staff": "Staff see and change everything. Customers see only their own containers",
            "is_active": "Clear this to sign them out everywhere at once. Their containers stay",
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        if not self.instance.pk:
            del self.fields["is_active"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance == self.by:
            for name, what in OWN_RIGHTS.items():
                if not data.get(name):
                    self.add_error(name, ValidationError(what))
        return data

    def save(self, commit: bool = True) -> User:
        person: User = super().save(commit=False)
        if not person.pk:
            person.set_unusable_password()  # until they set one through their link
        if commit:
            person.save()
        return person
