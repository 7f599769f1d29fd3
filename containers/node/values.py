"""What the words behind an option mean: vzctl's sizes, pairs and yes or no."""

import re
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from containers.node.errors import BadValue, Code

UNLIMITED = "unlimited"
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([TGMKPB]?)\Z", re.IGNORECASE)
UNITS = {"T": 2**40, "G": 2**30, "M": 2**20, "K": 2**10, "P": 4096, "B": 1}  # P: memory pages
MIB = 2**20
KEYS = 64 * 1024  # bytes of a file of keys


def yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadValue(f"{text!r} is neither yes nor no")
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
    return whole(last(text))


def whole(text: str) -> int | None:
    if text == UNLIMITED:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise BadValue(f"{text!r} is not a whole number from 0 on")
    return int(text)


def cpus(text: str) -> Decimal | None:
    """So many processors' worth of time; 0 for no limit."""
    if text == UNLIMITED:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadValue(f"{text!r} is not a number of processors") from None
    if not number.is_finite() or number < 0:
        raise BadValue(f"{text!r} is not a number of processors")
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
    match = SIZE.match(text)
    if not match:
        raise BadValue(f"{text!r} is not a size, as 512M or 10G")
    return int(Decimal(match[1]) * UNITS.get(match[2].upper(), unit))


def mebibytes(text: str, number: int | None, example: str) -> int | None:
    if number is not None and number < MIB:
        raise BadValue(f"{text} is less than a mebibyte: give a unit, as in {example}")
    return None if number is None else number // MIB


def account(text: str, check: Callable[[str, str], str]) -> dict[str, str]:
    """USER:PASSWORD, "-" to read that from standard input; only the password's hash goes on.

    check: raises BadValue for a password that is too weak; called with it and with the user.
    """
    from containers.node.access import accounts

    if text == "-":
        text = sys.stdin.readline().rstrip("\n")
    user, colon, password = text.partition(":")
    if not colon:
        raise BadValue("it is USER:PASSWORD, or - to read that from standard input")
    password = check(password, accounts.validate_user(user))
    return {"user": user, "hash": accounts.hash_password(password)}


def keys(text: str) -> list[str]:
    """The public keys in a file, as ~/.ssh/id_ed25519.pub or authorized_keys."""
    from containers.node.access import accounts

    lines = file(text, most=KEYS).decode(errors="replace").splitlines()
    found = [accounts.validate_key(line) for line in lines if line.strip() and line[0] != "#"]
    if not found:
        raise BadValue(f"{text} has no key in it")
    return found


def file(text: str, *, most: int) -> bytes:
    """What is in a file, "-" for standard input; at most so many bytes."""
    try:
        if text == "-":
            found = sys.stdin.buffer.read(most + 1)
        else:
            with Path(text).open("rb") as source:
                found = source.read(most + 1)
    except OSError as error:
        raise BadValue(f"{text} can't be read: {error.strerror}", Code.BAD_VALUE) from error
    if len(found) > most:
        raise BadValue(f"{text} is longer than {most} bytes")
    return found
