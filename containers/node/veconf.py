"""The KEY="value" files, vz.conf and ve.conf, that action scripts source as root.

Whoever sources such a file runs what is in it, so a value is escaped to mean exactly
itself, or refused. vzctl's own parser and a POSIX shell read the same value back.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from containers.node.errors import BadValue, BadValues
from containers.node.lines import lines_in, text_of

KEY = re.compile(r"[A-Z][A-Z0-9_]*\Z")
LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
WORD = re.compile(
    r'"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>[^\']*)\'|\\(?P<escaped>.)|(?P<end>\s)'
    r"|(?P<bare>[^\s\"'\\]+)"
)
IN_DOUBLE = re.compile(r'\\(["$`\\])')
SPECIAL = re.compile(r'(["$`\\])')


def read(path: Path) -> dict[str, str]:
    """The values of a file, if there is one. Of a doubled key the last counts, as in a shell."""
    try:
        text = text_of(path)
    except FileNotFoundError:
        return {}
    return {**parsed(text)}  # what lies in an operation's way reads vz.conf a dozen times


@lru_cache(maxsize=8)
def parsed(text: str) -> dict[str, str]:
    return parse(text)


def parse(text: str) -> dict[str, str]:
    values = {}
    for line in lines_in(text):
        match = LINE.match(line)
        if match:
            values[match[1]] = unquote(match[2])
    return values


def unquote(text: str) -> str:
    """The first word of a line's rest, as a POSIX shell reads it that expands nothing."""
    value = ""
    for part in WORD.finditer(text.lstrip()):
        if part["end"] is not None:
            break
        double, single, escaped, bare = (
            part["double"],
            part["single"],
            part["escaped"],
            part["bare"],
        )
        if double is not None:
            value += IN_DOUBLE.sub(r"\1", double)
        else:
            value += single or escaped or bare or ""
    return value


def render(values: Mapping[str, str], heading: str = "") -> str:
    """The text of such a file. Raises BadValue for a value no line can hold."""
    lines = [f"# {line}" for line in lines_in(heading)]
    lines += [f'{key}="{escape(key, value)}"' for key, value in values.items()]
    return "\n".join(lines) + "\n"


def escape(key: str, value: str) -> str:
    if not KEY.match(key):
        raise BadValue(BadValues.NOT_A_SETTING, word=key)
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise BadValue(BadValues.LINE_BROKEN, what=key)
    return SPECIAL.sub(r"\\\1", value)
