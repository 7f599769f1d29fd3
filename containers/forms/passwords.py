"""Root's password in a container: typed or made up; only its hash goes on."""

from __future__ import annotations

import secrets
import string
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from containers.forms.fields import KeysField, checked
from containers.node.access import accounts

LENGTH = 16  # characters of a generated one
LETTERS = sorted(set(string.ascii_letters + string.digits) - set("0O1lI"))  # told apart on paper


class Choice(models.TextChoices):
    GENERATE = "generate", "Generate a password and show it once"
    TYPE = "type", "Use this password"
    NONE = "none", "No password: sign in with an SSH key only"


class PasswordForm(forms.Form):
    """For a container that is there already."""

    choices: tuple[Choice, ...] = (Choice.GENERATE, Choice.TYPE)

    password_choice = forms.ChoiceField(
        label="Root password", initial=Choice.GENERATE, widget=forms.RadioSelect
    )
    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["password_choice"]
        choice.choices = [(c.value, c.label) for c in self.choices]  # type: ignore[attr-defined]
        self.generated = ""  # shown once, where the operation it goes with is shown

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("password_choice") == Choice.TYPE:
            try:
                checked(accounts.validate_password, data.get("password", ""))
            except ValidationError as error:
                self.add_error("password", error)
        return data

    def access(self) -> dict[str, Any]:
        """The params of an operation: never the password itself."""
        text = self.cleaned_data["password"]
        match self.cleaned_data["password_choice"]:
            case Choice.NONE:
                return {}
            case Choice.GENERATE:
                text = self.generated = made_up()
        return {"userpasswd": {"user": "root", "hash": accounts.hash_password(text)}}


def made_up() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


class AccessForm(PasswordForm):
    """For a container that is about to be made."""

    choices = (Choice.GENERATE, Choice.TYPE, Choice.NONE)

    sshkeys = KeysField(
        label="SSH keys",
        help_text="Whoever has one of these keys can sign in as root. Enter one public key a line",
    )

    def access(self) -> dict[str, Any]:
        keys = self.cleaned_data["sshkeys"]
        return super().access() | ({"sshkeys": keys} if keys else {})
