"""What somebody looks for in a list: a few words, and the columns that each is looked for in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

WORDS = 8
LONGEST = 100  # characters of all
DIGITS = 18  # of a number, as every column and database has room for

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Search:
    """text: as it was typed, so far as it counts; cut: more was typed than is looked for."""

    text: str
    words: tuple[str, ...]
    cut: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Search:
        typed = plain(request.GET.get("q", "")).strip()
        text = typed[:LONGEST]
        words = text.split()
        return cls(" ".join(words[:WORDS]), tuple(words[:WORDS]),
                   cut=len(typed) > LONGEST or len(words) > WORDS)  # fmt: skip

    def narrow(
        self,
        found: QuerySet[M],
        *columns: str,
        number: str = "",
        also: Callable[[str], Q] = lambda word: Q(),
    ) -> QuerySet[M]:
        """Rows that have every word in one of the columns.

        number: a column that a word of digits may be, with CT before it or not; the word CT alone
        is passed over. also: what else a word may mean; what it asks must not depend on found.
        """
        wanted = Q()
        for word in self.words:
            if number and word.upper() == "CT":
                continue
            matches = also(word)
            for column in columns:
                matches |= Q(**{f"{column}__icontains": word})
            digits = word[2:] if word[:2].upper() == "CT" else word
            if number and (value := whole(digits)) is not None:
                matches |= Q(**{number: value})
            wanted &= matches
        return found.filter(wanted)


def plain(text: str) -> str:
    """Without the one character that no database takes."""
    return text.replace("\0", "")


def whole(text: str | None) -> int | None:
    """The number that somebody wrote in an address; None for what is none."""
    if text and text.isascii() and text.isdecimal() and len(text) <= DIGITS:
        return int(text)
    return None
