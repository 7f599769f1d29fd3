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
    Flaw.TOO_LARGE: "The script has {mib:.1f} MiB; the most is 1 MiB.",
    Flaw.NUL: "The script has a NUL byte in it: that is no text.",
    Flaw.NOT_UTF8: "The script is not UTF-8: it has bytes that can't be read.",
    Flaw.EMPTY: "The script is empty. To have none run, disable it.",
    Flaw.NO_INTERPRETER: "Line 1 has to name the interpreter, as in #!/bin/bash.",
}
NOTICES = {
    Flaw.CRLF: "Its lines ended as on Windows (CRLF); they end in LF now.",
    Flaw.NO_INTERPRETER: "Line 1 names no interpreter. In a container that makes no difference: "
    "its bash reads the script, or its sh where there is no bash.",
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
        label="Or a file", required=False, help_text="Takes the place of the text"
    )
    reason = forms.CharField(
        label="What changed, and why",
        required=False,
        max_length=255,
        help_text="Kept with the version",
    )
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
            self.data = {**{key: self.data[key] for key in self.data}, "body": shown}

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

    def __init__(self, *args: Any, versions: QuerySet[ScriptVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["number"]
        choice.queryset = versions
