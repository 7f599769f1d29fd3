"""What differs between two texts, line by line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from containers.node.lines import lines_in

KINDS = {"+": "added", "-": "removed", "@": "hunk"}


@dataclass(frozen=True)
class Line:
    kind: str
    text: str


def between(older: str, newer: str) -> list[Line]:
    """Nothing when they are the same."""
    found = difflib.unified_diff(lines_in(older), lines_in(newer), lineterm="", n=5)
    return [Line(KINDS.get(line[:1], "same"), line) for line in list(found)[2:]]


def whole(text: str) -> list[Line]:
    return [Line("same", line) for line in lines_in(text)]
