"""Codes of a second factor, and the question who somebody is."""

from __future__ import annotations

from django import forms
from django.contrib.auth.models import User
from django_otp import match_token

from containers.models import second_factor

CODE = {
    "autocomplete": "one-time-code",
    "spellcheck": "false",
    "autocapitalize": "none",
    "autofocus": True,
}


class CodeForm(forms.Form):
    code = forms.CharField(label="Code", max_length=40, widget=forms.TextInput(attrs=CODE))

    def clean_code(self) -> str:
        """As people copy it: with blanks in it."""
        return "".join(self.cleaned_data["code"].split()).lower()


class PasskeyForm(forms.Form):
    """A new passkey: its name, and what the browser says about it."""

    name = forms.CharField(
        max_length=64, help_text="For example “laptop” or “security key on my key ring”"
    )
    passkey = forms.CharField(max_length=32_768, widget=forms.HiddenInput)


class ConfirmForm(forms.Form):
    """The password; or a code or a passkey, for whoever has a second factor."""

    FIELD = "password_again"
    PASSKEY = "passkey_again"

    passkey_again = forms.CharField(max_length=32_768, required=False, widget=forms.HiddenInput)
    password_again = forms.CharField(
        label="Your password, or a code of your second factor",
        max_length=4096,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def clean(self) -> None:
        if not self.errors and not any(map(self.cleaned_data.get, (self.FIELD, self.PASSKEY))):
            self.add_error(self.FIELD, "This field is required.")

    def opens(self, user: User) -> bool:
        text: str = self.cleaned_data[self.FIELD]
        if user.check_password(text):
            return True
        code = "".join(text.split()).lower()
        return len(code) <= 16 and bool(second_factor.of(user) and match_token(user, code))
