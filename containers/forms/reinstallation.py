"""Setting a container up afresh, a step at a time: what was chosen so far, and what that asks for.

The draft is kept in the session. Of a password it holds the hash alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import localtime

from containers.forms.containers import newest_templates
from containers.forms.fields import PLAIN, KeysField, checked
from containers.forms.passwords import made_up
from containers.models import Container, Operation, Template
from containers.models.replaced_system import undo_until
from containers.node.access import accounts

NOBODY_COULD = "Enter a key: without a password and an SSH key nobody could sign in."
NO_USERS_EITHER = "Erasing also removes users and passwords: choose how root signs in."


class Access(models.TextChoices):
    KEEP = "keep", "The same users, with the same passwords and SSH keys"
    GENERATE = "generate", "Only root, with a generated password that is shown once"
    TYPE = "type", "Only root, with this password"
    KEYS = "keys", "Only root, with an SSH key"


class Keep(models.TextChoices):
    OLD = "old"
    ASIDE = "aside"
    NOTHING = "nothing"


@dataclass
class Draft:
    """What was chosen so far. operation: the one it has become."""

    template: int | None = None
    access: str = ""
    userpasswd: dict[str, str] | None = None
    sshkeys: list[str] = field(default_factory=list)
    keep: str = ""
    without_stop_script: bool = False
    without_own_scripts: bool = False
    inquiry: int | None = None
    operation: int | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Draft:
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in (kept or {}).items() if key in known})

    @classmethod
    def again(cls, operation: Operation) -> Draft:
        """The choices of an earlier one; a password it had set has to be given once more."""
        params, name = operation.params, f"{operation.params.get('template', '')}"
        aside = bool(params.get("keep_until"))
        kept = Keep.ASIDE if aside else Keep.NOTHING
        same_users = not params.get("resetpwdb")
        named = [t.pk for t in Template.objects.filter(node=operation.node) if f"{t}" == name]
        return cls(
            template=named[0] if named else None,
            access=Access.KEEP if same_users else "",
            sshkeys=params.get("sshkeys", []),
            keep=kept if params.get("skipbackup") else Keep.OLD,
            without_stop_script=bool(params.get("without_stop_script")),
            without_own_scripts=bool(params.get("without_own_scripts")),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def take_password(self, text: str) -> None:
        self.userpasswd = {"user": "root", "hash": accounts.hash_password(text)}

    def generate(self) -> str:
        """The password itself is for whoever is to see it."""
        text = made_up()
        self.take_password(text)
        return text

    @property
    def erases(self) -> bool:
        return self.keep == Keep.NOTHING

    def params(self, template: Template) -> dict[str, Any]:
        """What the operation is told."""
        asked: dict[str, Any] = {"template": f"{template}", "start": True}
        until = undo_until()
        if until and not self.erases:
            asked["keep_until"] = until.isoformat()
        switches = {
            "skipbackup": self.keep != Keep.OLD,
            "resetpwdb": self.access != Access.KEEP,
            "without_stop_script": self.without_stop_script,
            "without_own_scripts": self.without_own_scripts,
        }
        given = {"userpasswd": self.userpasswd, "sshkeys": self.sshkeys}
        return asked | {key: value for key, value in {**switches, **given}.items() if value}


def templates_for(user: User, container: Container) -> list[Template]:
    """What this user may have it set up with: the newest of each, the favourite first."""
    return [
        template
        for template in newest_templates()
        if template.node_id == container.node_id and (template.offered or user.is_staff)
    ]


class SystemForm(forms.Form):
    template = forms.ModelChoiceField(
        Template.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "invalid_choice": "That system is no longer offered. Choose another.",
            "required": "Choose a system.",
        },
    )

    def __init__(self, *args: Any, templates: list[Template], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["template"]
        choice.queryset = Template.objects.filter(pk__in=[t.pk for t in templates])


class AccessForm(forms.Form):
    """Who can sign in afterwards, and what becomes of the old files."""

    access = forms.ChoiceField(
        label="Who can sign in afterwards", choices=Access.choices, widget=forms.RadioSelect
    )
    password = forms.CharField(
        label="Root password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    sshkeys = KeysField(
        label="SSH keys for root",
        help_text="They are added to root's keys in any case. Enter one public key per line",
    )
    keep = forms.ChoiceField(
        label="Your old files",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "You can't choose that here."},
    )

    def __init__(self, *args: Any, may_erase: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["keep"]
        choice.choices = keeping(may_erase=may_erase)
        self.generated = ""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("access") == Access.TYPE:
            try:
                checked(accounts.validate_password, data.get("password", ""))
            except ValidationError as error:
                self.add_error("password", error)
        if data.get("access") == Access.KEYS and data.get("sshkeys") == []:
            self.add_error("sshkeys", NOBODY_COULD)
        if data.get("keep") == Keep.NOTHING and data.get("access") == Access.KEEP:
            self.add_error("access", NO_USERS_EITHER)
        return data

    def fill(self, draft: Draft) -> None:
        """Hash the password at once: nothing else of it goes on, but for one that is shown."""
        data = self.cleaned_data
        draft.access, draft.sshkeys, draft.keep = data["access"], data["sshkeys"], data["keep"]
        draft.userpasswd = None
        if data["access"] == Access.GENERATE:
            self.generated = draft.generate()
        elif data["access"] == Access.TYPE:
            draft.take_password(data["password"])


def keeping(*, may_erase: bool) -> list[tuple[str, str]]:
    """Beside each its consequence is said on the page."""
    until = undo_until()
    choices = [(Keep.OLD.value, "Keep them in /old of the new system")]
    if until:
        day = f"{localtime(until):%-d %B %Y}"
        choices.append((Keep.ASIDE.value, f"Keep them until {day}, but not in /old"))
    if may_erase:
        choices.append((Keep.NOTHING.value, "Erase them"))
    return choices


class ConfirmForm(forms.Form):
    confirmation = forms.CharField(
        widget=forms.TextInput(
            attrs={**PLAIN, "autocorrect": "off", "inputmode": "url", "enterkeyhint": "go"}
        ),
    )

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.container = container
        self.fields["confirmation"].label = f"Type {container.hostname} to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"].strip().rstrip(".")
        if typed.casefold() != self.container.hostname.casefold():
            raise ValidationError(f"That doesn't match. Type {self.container.hostname}.")
        return typed
