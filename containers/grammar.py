"""How a command line is read: vzctl's way, which is that of getopt_long.

Options may stand anywhere, be shortened as far as they stay unique, and have their value behind
a blank or "=". What is wrong with the words ends in exit code 20, with a value in 21.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from containers.node.errors import BadUsages, BadValue, BadValues, Code, OperationError


class Fate(StrEnum):
    """What becomes of an option."""

    DONE = "done"
    IGNORED = "ignored, with a warning"
    REFUSED = "refused (20)"


class BadSyntax(OperationError):
    code = Code.BAD_SYNTAX


@dataclass(frozen=True)
class Option:
    """value: what stands for its value in the help; an option without one is a switch.

    read: turns the value's text into what it means, or raises BadValue.
    many: it may be given again, and its values are collected.
    needs_reason: it may not be given without --reason.
    """

    name: str
    value: str = ""
    read: Callable[[str], Any] = str
    key: str = ""
    many: bool = False
    fate: Fate = Fate.DONE
    note: str = ""
    short: str = ""
    needs_reason: bool = False

    @property
    def slot(self) -> str:
        return self.key or self.name.lstrip("-").replace("-", "_")

    @property
    def shown(self) -> str:
        names = f"{self.short}, {self.name}" if self.short else self.name
        return f"{names} {self.value}".rstrip()


def ignored(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.IGNORED, note=note)


def refused(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.REFUSED, note=note)


@dataclass(frozen=True)
class Command:
    """operands: their names; "[NAME]" may be missing, "[NAME...]" be any number of them, and
    "WORDS..." are all that follow, options too, unread.

    run: module.function in containers/commands, loaded once Django is; it gets a Given and an
    Output. kind: the operation that it asks for, if it is a kind's.
    """

    words: str
    run: str
    does: str
    operands: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    program: str = "pctl"
    kind: str = ""

    @property
    def raw(self) -> bool:
        return bool(self.operands) and self.operands[-1].endswith("...")  # not "...]"

    @property
    def usage(self) -> str:
        options = " [OPTIONS]" if self.options else ""
        return " ".join([self.program, self.words, *self.operands]) + options


@dataclass
class Given:
    """What somebody typed: operands and options by name; those not given are missing."""

    command: Command
    operands: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __contains__(self, slot: str) -> bool:
        return slot in self.options

    def __getitem__(self, slot: str) -> Any:
        return self.options[slot]

    def get(self, slot: str, default: Any = None) -> Any:
        return self.options.get(slot, default)

    def pick(self, *slots: str) -> dict[str, Any]:
        return {slot: self.options[slot] for slot in slots if slot in self.options}


def parse(command: Command, words: Sequence[str], common: Sequence[Option] = ()) -> Given:
    """Raises BadSyntax, BadValue."""
    given = Given(command)
    options = (*command.options, *common)
    names, left = list(command.operands), list(words)
    found: list[str] = []
    raw = command.raw
    while left:
        if raw and len(found) == len(names) - 1:
            given.rest, left = left, []
            break
        word = left.pop(0)
        if word == "--":
            found += left
            break
        if word.startswith("--"):
            name, glued, value = word.partition("=")
            take(given, long_option(options, name), value if glued else None, left)
        elif word.startswith("-") and len(word) > 1:
            short_options(given, options, word[1:], left)
        else:
            found.append(word)
    place(given, names[:-1] if raw else names, found)
    if raw and given.rest[:1] == ["--"]:
        given.rest = given.rest[1:]
    for option in options:
        if option.needs_reason and given.get(option.slot) and not given.get("reason"):
            raise BadSyntax(BadUsages.REASON_MISSING, name=option.name)
    return given


def long_option(options: Sequence[Option], name: str) -> Option:
    if exact := [option for option in options if option.name == name]:
        return exact[0]
    near = [option for option in options if option.name.startswith(name)]
    if len(near) > 1:
        raise BadSyntax(
            BadUsages.OPTION_AMBIGUOUS, name=name, found=[option.name for option in near]
        )
    if not near:
        raise BadSyntax(BadUsages.OPTION_UNKNOWN, name=name)
    return near[0]


def short_options(given: Given, options: Sequence[Option], letters: str, left: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((each for each in options if each.short == f"-{letter}"), None)
        if option is None:
            raise BadSyntax(BadUsages.OPTION_UNKNOWN, name=f"-{letter}")
        if option.value:
            return take(given, option, letters or None, left)
        take(given, option, None, left)
    return None


def take(given: Given, option: Option, value: str | None, left: list[str]) -> None:
    if option.value and value is None:
        if not left:
            raise BadSyntax(BadUsages.VALUE_MISSING, name=option.name, value=option.value)
        value = left.pop(0)
    elif not option.value and value is not None:
        raise BadSyntax(BadUsages.VALUE_SPARE, name=option.name)
    if option.fate is Fate.REFUSED:
        raise BadSyntax(BadUsages.OPTION_REFUSED, name=option.name, why=option.note)
    if option.fate is Fate.IGNORED:
        given.warnings.append(f"{option.name} is ignored: {option.note}")
        return
    try:
        meaning = option.read(value) if value is not None else True
    except BadValue as error:
        raise error.at(option.name) from None
    if option.many:
        more = meaning if isinstance(meaning, list) else [meaning]
        given.options.setdefault(option.slot, []).extend(more)
    else:
        given.options[option.slot] = meaning


def place(given: Given, names: Sequence[str], found: Sequence[str]) -> None:
    """Operands that may be missing get what the others leave over, from the left."""
    spare = len(found) - sum(not name.startswith("[") for name in names)
    left = list(found)
    for name in names:
        if name.endswith("...]"):
            given.rest, left = left, []
        elif not name.startswith("[") or spare > 0:
            spare -= name.startswith("[")
            if not left:
                raise missing(name, given.command)
            given.operands[name.strip("[]")] = left.pop(0)
    if left:
        raise BadSyntax(BadUsages.OPERAND_SPARE, word=left[0], usage=given.command.usage)


def missing(name: str, command: Command) -> OperationError:
    if name == "CTID":
        return BadValue(BadValues.CTID_MISSING)
    return BadSyntax(BadUsages.OPERAND_MISSING, name=name, usage=command.usage)
