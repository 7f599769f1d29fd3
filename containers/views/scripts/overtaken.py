"""A script that somebody else has saved meanwhile: what they changed, and what one would change."""

from __future__ import annotations

from dataclasses import dataclass

from containers.models import Script
from containers.views.scripts.difference import Line, between


@dataclass(frozen=True)
class Differences:
    theirs: list[Line]  # since the version that was read
    mine: list[Line]

    @classmethod
    def of(cls, script: Script, *, read: str, mine: str) -> Differences:
        """read: the edition that somebody has written their text over."""
        number = read.partition("-")[0]
        before = script.versions.filter(number=number).first() if number.isdecimal() else None
        now = script.current.text if script.current else ""
        return cls(between(before.text if before else "", now), between(now, mine))
