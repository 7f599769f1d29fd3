"""A log for a reader that is no terminal: without the colour of the panel's own lines."""

import os
import re
from typing import IO, Any

from containers.node.spool import COLOUR, PLAIN

LINE = re.compile(re.escape(COLOUR.encode()) + rb"([^\n]*)" + re.escape(PLAIN.encode()) + rb"\n")
LONGEST = 64 * 1024  # bytes of such a line; what goes on for longer is a script's


def wanted(file: IO[Any]) -> bool:
    """https://no-color.org"""
    return bool(os.environ.get("NO_COLOR")) or not file.isatty()


class Plain:
    """Takes a log piece by piece. What may yet become the panel's own line waits for more."""

    def __init__(self) -> None:
        self.held = b""

    def __call__(self, data: bytes) -> bytes:
        data = LINE.sub(rb"\1\n", self.held + data)
        cut = beginning(data)
        self.held = data[cut:]
        return data[:cut]

    def rest(self) -> bytes:
        rest, self.held = self.held, b""
        return rest


def beginning(data: bytes) -> int:
    """Where the panel's own line begins that the data ends in; else the data's end."""
    colour = COLOUR.encode()
    at = data.rfind(colour, data.rfind(b"\n") + 1)
    if at >= 0:
        return at if len(data) - at < LONGEST else len(data)
    for size in range(min(len(colour) - 1, len(data)), 0, -1):
        if data.endswith(colour[:size]):
            return len(data) - size
    return len(data)


def visible(text: str) -> str:
    """With nothing in it that a terminal would obey, or not show, or show in another order."""
    return "".join(
        char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text
    )
