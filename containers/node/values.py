"""What the values of vzctl's options and files mean: sizes, pairs, yes or no."""

import re
from decimal import Decimal, InvalidOperation

from containers.node.errors import BadValue, BadValues

UNLIMITED = "unlimited"
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([TGMKPB]?)\Z", re.IGNORECASE)
UNITS = {"T": 2**40, "G": 2**30, "M": 2**20, "K": 2**10, "P": 4096, "B": 1}  # P: memory pages
MIB = 2**20


def yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadValue(BadValues.NOT_YES_OR_NO, word=text)
    return text == "yes"


def memory(text: str) -> int | None:
    """MiB, of bytes or a size with a suffix; None for no limit."""
    return mebibytes(text, size(text, unit=1), "512M")


def pages(text: str) -> int | None:
    """MiB, of barrier:limit in pages: the limit counts."""
    return mebibytes(text, size(last(text), unit=UNITS["P"]), "0:512M")


def disk(text: str) -> int | None:
    """MiB, of soft:hard in blocks of 1 KiB: the hard limit counts."""
    return mebibytes(text, size(last(text), unit=UNITS["K"]), "10G")


def items(text: str) -> int | None:
    """A number, of barrier:limit: the limit counts."""
    return count(last(text))


def count(text: str) -> int | None:
    """Whatever its size: what it counts has a range of its own, and a sentence that tells it."""
    if text == UNLIMITED:
        return None
    if not re.fullmatch(r"[0-9]{1,1000}", text):
        raise BadValue(BadValues.NOT_A_NUMBER, word=text[:30])
    return int(text)


def number(text: str) -> int:
    """A count that nothing is without."""
    if text == UNLIMITED:
        raise BadValue(BadValues.NOT_A_NUMBER, word=text)
    return int(count(text) or 0)


def whole(text: str) -> int | None:
    if len(text) > 10 and text != UNLIMITED:
        raise BadValue(BadValues.TOO_MANY_DIGITS, word=text[:30], most=10)
    return count(text)


def cpus(text: str) -> Decimal | None:
    """So many processors' worth of time; 0 for no limit."""
    if text == UNLIMITED:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadValue(BadValues.NOT_PROCESSORS, word=text) from None
    if not number.is_finite() or number < 0:
        raise BadValue(BadValues.NOT_PROCESSORS, word=text)
    return number or None


def percent(text: str) -> Decimal | None:
    """Of one processor's time, as --cpulimit has it."""
    number = cpus(text.removesuffix("%"))
    return number / 100 if number else None


def last(text: str) -> str:
    first, colon, second = text.partition(":")
    return second if colon else first


def size(text: str, *, unit: int) -> int | None:
    """Bytes; unit: those of a bare number."""
    if text == UNLIMITED:
        return None
    match = SIZE.match(text) if len(text) < 1000 else None
    if not match:
        raise BadValue(BadValues.NOT_A_SIZE, word=text[:30])
    return int(Decimal(match[1]) * UNITS.get(match[2].upper(), unit))


def mebibytes(text: str, number: int | None, example: str) -> int | None:
    if number is not None and number < MIB:
        raise BadValue(BadValues.BELOW_MEBIBYTE, word=text, example=example)
    return None if number is None else number // MIB
