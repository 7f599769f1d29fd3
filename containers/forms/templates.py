"""Templates: what can be built, and what is imported."""

from __future__ import annotations

from typing import Any

from django import forms

from containers.forms.fields import CheckedField
from containers.models import Node
from containers.node.errors import BadValue, BadValues
from containers.node.templates import catalogue, remains

RECIPES = {
    "debian-12": "Debian 12 with systemd, an SSH server, curl and nano",
    "debian-12-sysvinit": "Debian 12 with sysvinit: best for snapshots of processes",
    "busybox": "only busybox, 2 MiB, built in a few seconds; no SSH server",
}


class OnNodeForm(forms.Form):
    node = forms.ModelChoiceField(Node.objects.all(), empty_label=None, to_field_name="name")


class BuildForm(OnNodeForm):
    name = forms.ChoiceField(
        label="Template",
        choices=[(name, f"{name}: {text}") for name, text in RECIPES.items()],
        widget=forms.RadioSelect,
        initial="debian-12",
    )

    @property
    def params(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"]}


def absolute(path: str) -> str:
    if not path.startswith("/") or any(ord(char) < 32 for char in path):
        raise BadValue(BadValues.PATH_NOT_WHOLE)
    return path


class ImportForm(OnNodeForm):
    path = CheckedField(
        absolute,
        label="Tarball on the node",
        max_length=1024,
        help_text="A tarball of a root file system, for example an OpenVZ precreated template: "
        "/root/centos-7-x86_64.tar.gz",
    )
    name = CheckedField(
        catalogue.check,
        label="Name",
        max_length=64,
        help_text="You choose it by this name when you create a container. For example centos-7",
    )

    clean_it = forms.BooleanField(
        label="Remove what is somebody's",
        required=False,
        initial=True,
        help_text="Passwords and keys of its users, histories, /root, leases, mail, logs and "
        "temporary files. The operation's log says what was found",
    )

    @property
    def params(self) -> dict[str, Any]:
        words = remains.DEFAULT if self.cleaned_data["clean_it"] else []
        return {**{key: self.cleaned_data[key] for key in ("name", "path")}, "clean": words}
