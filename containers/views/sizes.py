"""Sizes as people read them: in the units that limits are set in, wherever one is shown."""

from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat

from containers.models import ReplacedSystem
from containers.node.setting import Setting

register = template.Library()


@register.filter("size")
def in_units(bytes: int) -> str:
    """Django counts in units of 1024 and calls them KB, MB and GB."""
    return filesizeformat(bytes).replace("B", "iB")


def worded(setting: Setting, value: Any) -> str:
    """A setting's value, as people read it."""
    if value is None or value == "" or value == []:
        return "no limit" if setting.range else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if setting.range and setting.range.unit == "MiB":
        return in_units(int(value) << 20).replace(".0", "")
    return f"{Decimal(f'{value}').normalize():f}" if setting.range else f"{value}"


@register.filter
def room(kept: ReplacedSystem) -> str:
    """What it takes of a disk; what it shares with other systems would be there without it."""
    if kept.size is None:
        return ""
    if kept.own is None:
        return f"takes up to {in_units(kept.size)} of the disk"
    return f"takes {in_units(kept.own)} of the disk"
