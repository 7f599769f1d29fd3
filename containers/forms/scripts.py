"""A script as somebody wrote it in a browser."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from containers.models import ScriptVersion
from containers.node.actions import Action, Where

LARGEST = 1 << 20  # bytes


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
        if "\0" in text:
            raise ValidationError("The script has a NUL byte in it: that is no text.")
        if not self.is_utf8(text):
            raise ValidationError("The script is not UTF-8: it has bytes that can't be read.")
        if self.data.get("crlf") or (self.uploaded and b"\r\n" in self.uploaded):
            self.notices.append("Its lines ended as on Windows (CRLF); they end in LF now.")
        text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
        if not text.strip():
            raise ValidationError("The script is empty. To have none run, disable it.")
        body = f"{text.rstrip()}\n".encode()
        if len(body) > LARGEST:
            raise ValidationError(
                f"The script has {len(body) / LARGEST:.1f} MiB; the most is 1 MiB."
            )
        self.check_interpreter(text)
        return body

    def is_utf8(self, text: str) -> bool:
        """U+FFFD is what stands where Django or a browser could not read."""
        try:
            text.encode()
            (self.uploaded or b"").decode()
        except UnicodeError:
            return False
        return bool(self.uploaded) or "\ufffd" not in text

    def check_interpreter(self, text: str) -> None:
        if text.startswith("#!"):
            return
        if self.action.where is Where.NODE:
            raise ValidationError("Line 1 has to name the interpreter, as in #!/bin/bash.")
        self.notices.append(
            "Line 1 names no interpreter. In a container that makes no difference: "
            "its bash reads the script, or its sh where there is no bash."
        )


class RestoreForm(forms.Form):
    """Which version shall be the newest again."""

    number = forms.ModelChoiceField(ScriptVersion.objects.none(), to_field_name="number")

    def __init__(self, *args: Any, versions: QuerySet[ScriptVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["number"]
        choice.queryset = versions
