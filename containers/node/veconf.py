"""The KEY="value" files, vz.conf and ve.conf, that action scripts source as root.

Whoever sources such a file runs what is in it, so a value is escaped to mean exactly
itself, or refused. vzctl's own parser and a POSIX shell read the same value back.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from containers.node.errors import BadValue

KEY = re.compile(r"[A-Z][A-Z0-9_]*\Z")
LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
SPECIAL = re.compile(r'(["$`\\])')


def read(path: Path) -> dict[str, str]:
    """The values of a file, if there is one. Of a doubled key the last counts, as in a shell."""
    try:
        text = path.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return {}
    return parse(text)


def parse(text: str) -> dict[str, str]:
    values = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            values[match[1]] = unquote(match[2])
    return values


def unquote(word: str) -> str:
    try:
        words = shlex.split(word, comments=True)
    except ValueError:
        return word.strip()
    return words[0] if words else ""


def render(values: Mapping[str, str], heading: str = "") -> str:
    """The text of such a file. Raises BadValue for a value no line can hold."""
    lines = [f"# {line}" for line in heading.splitlines()]
    lines += [f'{key}="{escape(key, value)}"' for key, value in values.items()]
    return "\n".join(lines) + "\n"


def escape(key: str, value: str) -> str:
    if not KEY.match(key):
        raise BadValue(f"{key!r} is not the name of a setting")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise BadValue(f"{key} has a line break or control character in it")
    return SPECIAL.sub(r"\\\1", value)
