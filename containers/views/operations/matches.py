"""What is searched for in a text, marked: which there are, and which one is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 2000  # that are marked: more a browser takes long to show


@dataclass(frozen=True)
class Matches:
    """Upper case or lower makes no difference. at: of the match that is looked at, from 1 on."""

    text: str
    sought: str
    spans: tuple[tuple[int, int], ...]
    count: int
    at: int

    @classmethod
    def of(cls, text: str, sought: str, at: int) -> Matches:
        words = re.compile(re.escape(sought), re.IGNORECASE)
        found = [match.span() for match in words.finditer(text)] if sought else []
        spans = tuple(found[:MOST])
        return cls(text, sought, spans, len(found), min(max(at, 1), len(spans)))

    def __str__(self) -> str:
        if not self.count:
            return "No match"
        of = f"{self.at:,} of {self.count:,}"
        return of if self.count == len(self.spans) else f"{of}, the first {MOST:,} are marked"

    @property
    def next(self) -> int:
        """The one after it; after the last comes the first."""
        return self.at % len(self.spans) + 1

    @property
    def previous(self) -> int:
        return (self.at - 2) % len(self.spans) + 1

    @property
    def pieces(self) -> Iterator[tuple[str, int]]:
        """The text in pieces, each with the number of the match that it is, or 0."""
        end = 0
        for number, (begin, until) in enumerate(self.spans, 1):
            yield self.text[end:begin], 0
            yield self.text[begin:until], number
            end = until
        yield self.text[end:], 0
