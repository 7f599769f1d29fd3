"""What an operation on a container asks beside its kind."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from containers.models import Container
from containers.node.states import State

LONGEST = 4096  # characters of a command


class RequestForm(forms.Form):
    """An operation that asks nothing."""

    replace_scripts = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.container = container

    @property
    def params(self) -> dict[str, Any]:
        return {"replace_scripts": True} if self.cleaned_data["replace_scripts"] else {}

    @property
    def why(self) -> str:
        """The reason to keep with the operation."""
        return str(self.cleaned_data.get("reason", ""))

    @property
    def permission(self) -> str:
        """What it takes beyond the permission for its kind."""
        return ""


class StartForm(RequestForm):
    """Of a suspended container, it throws its saved processes away; that is asked for."""

    discard = forms.BooleanField(
        label="Throw its saved processes away and start it afresh", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.container.state == State.SUSPENDED:
            self.fields["discard"].required = True
            self.fields["discard"].error_messages["required"] = "Resume it, or say so here."
        else:
            del self.fields["discard"]

    @property
    def params(self) -> dict[str, Any]:
        return super().params | ({"discard": True} if self.cleaned_data.get("discard") else {})


class StopForm(RequestForm):
    fast = forms.BooleanField(
        label="Kill its programs instead of asking them to end",
        required=False,
        help_text="Faster; what they have not saved is lost. Its stop and umount scripts run",
    )
    without_stop_script = forms.BooleanField(
        label="Stop it without its stop script",
        required=False,
        help_text="For when the stop script fails or hangs: what it would have done is left undone",
    )
    reason = forms.CharField(
        label="Reason", required=False, max_length=255, help_text="Kept with the operation"
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("without_stop_script") and not data.get("reason"):
            self.add_error("reason", "Say why its stop script is passed over.")
        return data

    @property
    def params(self) -> dict[str, Any]:
        asked = {key: True for key in ("fast", "without_stop_script") if self.cleaned_data[key]}
        return super().params | asked

    @property
    def permission(self) -> str:
        return "skip_stop_script" if self.cleaned_data["without_stop_script"] else ""


class DestroyForm(RequestForm):
    confirmation = forms.CharField(
        label="Type its CT ID or host name to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed not in (f"{self.container.ctid}", self.container.hostname):
            raise ValidationError(
                f"That is not it. Type {self.container.ctid} or {self.container.hostname}."
            )
        return typed


class ExecForm(RequestForm):
    command = forms.CharField(
        label="Command",
        max_length=LONGEST,
        strip=False,
        help_text="For the container's shell; runs as root in it",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "autocapitalize": "none",
                "autofocus": True,
            }
        ),
    )

    def clean_command(self) -> str:
        command: str = self.cleaned_data["command"]
        if not command.strip() or "\0" in command:
            raise ValidationError("Give a command.")
        return command

    @property
    def params(self) -> dict[str, Any]:
        return {"command": ["/bin/sh", "-c", self.cleaned_data["command"]]}


FORMS: dict[str, type[RequestForm]] = {
    "start": StartForm,
    "stop": StopForm,
    "restart": RequestForm,
    "suspend": RequestForm,
    "resume": RequestForm,
    "mount": RequestForm,
    "umount": RequestForm,
    "destroy": DestroyForm,
    "exec": ExecForm,
}
