"""What somebody wants a container to be: every value is looked at before a row has it.

The values end up in files that root sources and on command lines, and vzctl's rules hold for
them; each function here returns the value as the row keeps it, or raises BadValue.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from containers.node.errors import BadValue, BadValues, Code
from containers.node.network import resolver

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")
NAME = re.compile(r"[A-Za-z0-9 +_.-]+\Z")
NUMBER = re.compile(r"\s*\+?[0-9]+\Z")
HOST_NAME_MAX = 64  # bytes, of Linux
HIGHEST = 2**31 - 1  # that the columns hold


def cleaned(shall: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of models.Container, checked. Raises BadValue, TypeError for an unknown one."""
    if unknown := set(shall) - set(CLEAN):
        raise TypeError(f"a container has no {', '.join(sorted(unknown))}")
    return {field: CLEAN[field](value) for field, value in shall.items()}


def hostname(text: str) -> str:
    word = text.strip().rstrip(".")
    if len(word) > HOST_NAME_MAX:
        raise BadValue(BadValues.HOSTNAME_LONG, Code.BAD_VALUE, most=HOST_NAME_MAX)
    if not word or not all(LABEL.match(label) for label in word.split(".")):
        raise BadValue(BadValues.NOT_A_HOSTNAME, Code.BAD_VALUE, word=text)
    return word


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


def at_least(lowest: int, what: str) -> Callable[[Any], int | None]:
    def check(value: Any) -> int | None:
        if value is None:
            return None
        if not lowest <= int(value) <= HIGHEST:
            raise BadValue(BadValues.TOO_SMALL, what=what, value=value, least=lowest)
        return int(value)

    return check


def cpus(value: Any) -> Decimal | None:
    """As many processors' worth of time; hundredths count."""
    if value is None:
        return None
    try:
        number = Decimal(f"{value}").quantize(Decimal("0.01"))
    except InvalidOperation:
        raise BadValue(BadValues.NOT_PROCESSORS, word=value) from None
    if not Decimal("0.01") <= number <= Decimal("999.99"):
        raise BadValue(BadValues.PROCESSORS_RANGE, value=value)
    return number


def nameservers(words: Iterable[str]) -> list[str]:
    """None, or "inherit" among them, means the node's own."""
    return [f"{resolver.parse(word)}" for word in resolver.chosen(words)]


def searchdomains(words: Iterable[str]) -> list[str]:
    return [resolver.domain(word) for word in resolver.chosen(words)]


def kept(value: Any) -> Any:
    return value


CLEAN: dict[str, Callable[[Any], Any]] = {
    "hostname": hostname,
    "name": name,
    "description": line,
    "owner": kept,
    "ram": at_least(4, "the memory (in MiB)"),
    "cpus": cpus,
    "pids": at_least(4, "the number of processes"),
    "diskspace": at_least(4, "the disk space (in MiB)"),
    "nameservers": nameservers,
    "searchdomains": searchdomains,
    "onboot": bool,
    "disabled": bool,
}
