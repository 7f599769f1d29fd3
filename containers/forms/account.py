"""Somebody's own password: changed, or set through a link."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.forms import Form

REPEAT = "Repeat the password"


class ChangeForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Present password"
        repeat(self)


class SetForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        repeat(self)


def repeat(form: Form) -> None:
    again = form.fields["new_password2"]
    again.label, again.help_text = REPEAT, ""
