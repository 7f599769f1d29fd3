"""The KEY="value" files, vz.conf and ve.conf, that action scripts source as root.

Whoever sources such a file runs what is in it, so a value is escaped to mean exactly
itself, or refused. vzctl's own parser and a POSIX shell read the same value back.
"""

import re
from collections.abc import Collection, Mapping
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
# What a shell and vzctl read alike, and which runs nothing, whatever follows it.
PLAIN = re.compile(r"""[A-Za-z_]\w*=("[^"$`\\]*"|'[^'"]*'|[\w@%+:,./-]*)\s*(#.*)?\Z""", re.ASCII)


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


def merge(text: str, values: Mapping[str, str], *, own: Collection[str], heading: str = "") -> str:
    """The text of a file with new values in it, and with all that is somebody else's.

    Lines of values stay where they are, new ones come last. own: keys whose lines go where there
    is no value. Whatever else there is stays in its place, as vzctl leaves it; but a line that
    would run something becomes what vzctl reads there: the value without a meaning for shells, or
    a comment. Raises BadValue for a value no line can hold.
    """
    written = {key: f'{key}="{escape(key, value)}"' for key, value in values.items()}
    heading = "".join(f"# {line}\n" for line in lines_in(heading)).rstrip("\n")
    lines = [heading] if heading else []
    for line in lines_in(text):
        key = key_of(line)
        if key in values:
            if key in written:  # of a doubled key one is enough
                lines.append(written.pop(key))
        elif key not in own and line not in heading.split("\n"):
            lines.append(harmless(line))
    return "\n".join([*lines, *written.values()]) + "\n"


def key_of(line: str) -> str:
    match = LINE.match(line)
    return match[1] if match else ""


def harmless(line: str) -> str:
    if not line.strip() or line.lstrip().startswith("#") or PLAIN.match(line.strip()):
        return line
    match = LINE.match(line)
    if not match:
        return f"# {line}"
    rest = match[2].strip()
    value = unquote(rest) if rest[:1] in ("'", '"') else re.sub(r"\\(.)", r"\1", rest)
    value = "".join(char for char in value if ord(char) >= 32 and ord(char) != 127)
    return f'{match[1]}="{escaped(value)}"'


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
    return escaped(value)


def escaped(value: str) -> str:
    return SPECIAL.sub(r"\\\1", value)
