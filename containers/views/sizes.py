"""Sizes as people read them: in the units that limits are set in, wherever one is shown."""

from django import template
from django.template.defaultfilters import filesizeformat

from containers.models import ReplacedSystem

register = template.Library()


@register.filter("size")
def in_units(bytes: int) -> str:
    """Django counts in units of 1024 and calls them KB, MB and GB."""
    return filesizeformat(bytes).replace("B", "iB")


@register.filter
def room(kept: ReplacedSystem) -> str:
    """What it takes of a disk; what it shares with other systems would be there without it."""
    if kept.size is None:
        return ""
    if kept.own is None:
        return f"takes up to {in_units(kept.size)} of the disk"
    return f"takes {in_units(kept.own)} of the disk"
