"""A script as somebody wrote it in a browser."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from containers.models import ScriptVersion
from containers.node.actions import Action
from containers.node.script_text import LARGEST, Flaw, Source, examine

MARK = "\ufeff"  # that some editors begin a file with
REFUSALS = {
    Flaw.TOO_LARGE: "The script is {mib:.1f} MiB long. It can be 1 MiB at most.",
    Flaw.NUL: "The script contains a NUL byte, so it is not text.",
    Flaw.NOT_UTF8: "The script is not valid UTF-8.",
    Flaw.EMPTY: "The script is empty. Disable it if it should not run.",
    Flaw.NO_INTERPRETER: "Line 1 must name the interpreter, for example #!/bin/bash.",
}
NOTICES = {
    Flaw.CRLF: "Its lines ended as on Windows (CRLF). They were changed to end in LF.",
    Flaw.NO_INTERPRETER: "Line 1 names no interpreter. In a container that makes no difference: "
    "its bash runs the script, or its sh if it has no bash.",
}


class ScriptForm(forms.Form):
    """The text stays in the editor, whatever is wrong with it."""

    body = forms.CharField(
        label="Script",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 22, "spellcheck": "false", "autocapitalize": "none", "wrap": "off"}
        ),
    )
    upload = forms.FileField(
        label="Or upload a file", required=False, help_text="It replaces the text"
    )
    reason = forms.CharField(
        label="What you changed, and why",
        required=False,
        max_length=255,
        help_text="It is kept with the version",
    )
    # The edition that was read, which is written over; without one, whatever there is by now
    over = forms.CharField(required=False, widget=forms.HiddenInput, max_length=32)
    # A form always sends CRLF, so only the editor knows that CRLF was pasted.
    crlf = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, action: Action, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        self.notices: list[str] = []
        self.fields["body"].validators = []  # of NUL bytes there is a sentence of ours
        self.uploaded: bytes | None = None
        if upload := self.files.get("upload"):
            self.uploaded = upload.read()
            shown = self.uploaded.decode(errors="replace")
            self.show(body=shown)

    def show(self, **values: str) -> None:
        """In the page that comes back, in the place of what was sent."""
        self.data = {**{key: self.data[key] for key in self.data}, **values}

    def clean_body(self) -> bytes:
        """The bytes to keep: UTF-8, lines ended by LF, the last one too."""
        text: str = self.cleaned_data["body"]
        found = examine(self.received(text), self.action, Source.EDITOR)
        if found.refused:
            mib = found.size / LARGEST
            raise ValidationError(REFUSALS[found.refused[0]].format(mib=mib))
        self.notices += [NOTICES[flaw] for flaw in found.remarked]
        text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix(MARK)
        return f"{text.rstrip()}\n".encode()

    def received(self, text: str) -> bytes:
        """What was pasted, typed or uploaded; in a text, U+FFFD is what could not be read."""
        if self.uploaded is not None:
            return self.uploaded.removeprefix(MARK.encode())
        if not self.data.get("crlf"):
            text = text.replace("\r\n", "\n")
        text = text.removeprefix(MARK).replace("\ufffd", "\udcff")  # no UTF-8 has that
        return text.encode(errors="surrogatepass")


class RestoreForm(forms.Form):
    """Which version shall be the newest again."""

    number = forms.ModelChoiceField(ScriptVersion.objects.none(), to_field_name="number")
    over = forms.CharField(required=False, max_length=32)  # the edition that was read

    def __init__(self, *args: Any, versions: QuerySet[ScriptVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["number"]
        choice.queryset = versions
