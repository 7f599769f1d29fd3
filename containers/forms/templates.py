"""Templates: what can be built, and what is imported."""

from __future__ import annotations

from typing import Any

from django import forms

from containers.forms.fields import CheckedField
from containers.models import Node
from containers.node.errors import BadValue, BadValues
from containers.node.templates import catalogue

RECIPES = {
    "debian-12": "Debian 12 with systemd, an SSH server, curl and nano",
    "debian-12-sysvinit": "The same with sysvinit: best for process snapshots",
    "busybox": "Busybox alone: 2 MiB, made in a moment; no SSH",
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
        help_text="Of a root file system, as /root/centos-7-x86_64.tar.gz; "
        "OpenVZ's precreated templates are such",
    )
    name = CheckedField(
        catalogue.check,
        label="Name",
        max_length=64,
        help_text="What containers are created from: as centos-7",
    )

    @property
    def params(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"], "path": self.cleaned_data["path"]}
