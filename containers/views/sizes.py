"""Sizes as people read them: in the units that limits are set in, wherever one is shown."""

from django import template
from django.template.defaultfilters import filesizeformat

register = template.Library()


@register.filter("size")
def in_units(bytes: int) -> str:
    """Django counts in units of 1024 and calls them KB, MB and GB."""
    return filesizeformat(bytes).replace("B", "iB")
