"""What values a container's settings may have.

The values end up in files that root sources and on command lines, and vzctl's rules hold for
them; each check returns the value as the row keeps it, or raises BadValue with vzctl's code.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from containers.node.access import hostname as access
from containers.node.errors import BadValue, BadValues, Code
from containers.node.network import addresses as network
from containers.node.network import resolver
from containers.node.shutdown import DEFAULT, MODES

NAME = re.compile(r"[A-Za-z0-9 +_.-]+\Z")
NUMBER = re.compile(r"\s*\+?[0-9]+\Z")
Facts = Mapping[str, Any]  # what a node says of itself


@dataclass(frozen=True)
class Range:
    """The numbers that something may have, and the one sentence that says so.

    most: what the node has of it, by its facts; None where that isn't known, or has no end.
    step: what counts. None is no limit, whatever the range.
    """

    what: str
    lowest: Decimal
    highest: Decimal
    unit: str = ""
    step: Decimal = Decimal(1)
    most: Callable[[Facts], int | None] = lambda facts: None

    def clean(self, value: Any, facts: Facts | None = None) -> Decimal | None:
        if value is None:
            return None
        highest = self.highest
        if facts and (most := self.most(facts)) is not None:
            highest = max(self.lowest, min(highest, Decimal(most)))
        try:
            number = Decimal(f"{value}")
            if self.lowest <= number <= highest and self.rounded(number):
                return number.quantize(self.step)
        except InvalidOperation:
            pass  # not a number at all
        raise BadValue(
            BadValues.OUT_OF_RANGE,
            what=self.what,
            least=f"{self.lowest}",
            most=f"{highest}",
            unit=f" {self.unit}" if self.unit else "",
        )

    def rounded(self, number: Decimal) -> bool:
        """Whether all of it counts: half a process does not, a thousandth of a processor may go."""
        return self.step < 1 or number == number.to_integral_value()


def hostname(text: str) -> str:
    return access.check(text.strip().removesuffix("."), Code.BAD_VALUE)


def name(text: str) -> str:
    """vzctl's rule; a number is refused, because it would be taken for a CT ID."""
    if not text:
        return ""
    if not NAME.match(text) or len(text) > 64:
        raise BadValue(BadValues.NOT_A_NAME, word=text[:70])
    if text in (".", "..") or text != text.strip():
        raise BadValue(BadValues.NOT_A_NAME, Code.NAME, word=text)
    if NUMBER.match(text):
        raise BadValue(BadValues.NAME_IS_CTID, word=text)
    return text


def line(text: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise BadValue(BadValues.LINE_BROKEN, what="description")
    if len(text) > 255:
        raise BadValue(BadValues.LINE_LONG, what="description", most=255)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValue(BadValues.NOT_UTF8, what="description") from None
    return text


def autostop(text: str) -> str:
    """The node's own habit is an empty one, or "default"."""
    if text not in ("", DEFAULT, *MODES):
        raise BadValue(BadValues.NOT_A_STOP, word=text[:30], known=[*MODES, DEFAULT])
    return "" if text == DEFAULT else text


def nameservers(words: Iterable[str]) -> list[str]:
    """None, or "inherit" among them, means the node's own."""
    return [f"{resolver.parse(word)}" for word in resolver.chosen(words)]


def searchdomains(words: Iterable[str]) -> list[str]:
    return [resolver.domain(word) for word in resolver.chosen(words)]


def addresses(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(f"{network.parse(word)}" for word in words))


def anything(value: Any) -> Any:
    return value
