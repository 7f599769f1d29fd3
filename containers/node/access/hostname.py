"""A container's host name: one rule for whoever asks for one, and for the node that sets it."""

import re

from containers.node.errors import BadValue, BadValues, Code

# Underscores as vzctl takes them, though RFC 1123 has none
LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
LONGEST = 64  # characters, Linux's; RFC 1123 would allow 253


def check(text: str, code: Code = Code.HOSTNAME) -> str:
    """A name by RFC 1123, of one label or more, that isn't a number or an address. Raises BadValue
    with that code."""
    labels = text.split(".")
    if len(text) > LONGEST:
        raise BadValue(BadValues.HOSTNAME_LONG, code, most=LONGEST)
    if not all(LABEL.match(label) for label in labels):
        raise BadValue(BadValues.NOT_A_HOSTNAME, code, word=text)
    if labels[-1].isdigit():
        raise BadValue(BadValues.HOSTNAME_NUMBER, code, word=text)
    return text
