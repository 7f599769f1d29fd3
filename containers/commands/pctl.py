"""pctl: reads its words, has one function of this package obey, ends in vzctl's exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from containers.commands import instead, manual, repertoire
from containers.commands.output import Output
from containers.grammar import BadSyntax, Command, Given, parse
from containers.node.errors import BadUsages, OperationError
from containers.node.lines import lines_in

INTERRUPTED = 130  # as a shell counts SIGINT

Understand = Callable[[list[str]], Given | list[str]]


def main(argv: Sequence[str] | None = None) -> int:
    return obey(list(sys.argv[1:] if argv is None else argv), understand)


def obey(words: list[str], understand: Understand, failure: int | None = None) -> int:
    """Do what was asked for, or print help; returns the exit code.

    failure: what an error ends in, in place of its own code.
    """
    output = Output(json="--json" in words)  # as long as the words have not been read
    try:
        given = understand(words)
        if isinstance(given, list):
            output.out("".join(f"{line}\n" for line in given))
            return 0
        output = Output(json=given.get("json", False), quiet=given.get("quiet", False))
        for warning in given.warnings:
            output.complain(f"{warning}.")
        return perform(given, output)
    except OperationError as error:
        return failed(output, error, error.code if failure is None else failure)
    except KeyboardInterrupt:
        return INTERRUPTED


def understand(words: list[str]) -> Given | list[str]:
    """What was asked for; lines to print when that was help. Raises BadSyntax, BadValue."""
    flags = []
    while words and words[0].startswith("-") and words[0] not in ("--help", "-h"):
        flags.append(words.pop(0))
    if not words or words[0] in ("help", "--help", "-h"):
        return repertoire.help_all()
    if words[0] == "options":
        return lines_in(manual.markdown())
    if (answer := instead.answer(words[0])) is not None:
        return answer
    command, left = find(words)
    if "--help" in (left[:1] if command.raw else flags + left):
        return repertoire.help_one(command)
    return parse(command, flags + left, repertoire.COMMON)


def find(words: Sequence[str]) -> tuple[Command, list[str]]:
    first = repertoire.ALIASES.get(words[0], words[0])
    size = 2 if first in repertoire.NOUNS else 1
    command = repertoire.BY_WORDS.get(" ".join([first, *words[1:size]]))
    if command is None:
        what = " ".join(words[:size])
        raise BadSyntax(BadUsages.BAD_COMMAND, words=what, program="pctl")
    return command, list(words[size:])


def perform(given: Given, output: Output) -> int:
    """Django is loaded only here: help and mistakes don't wait for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    import django

    django.setup()
    from containers.commands import database

    module, _, name = given.command.run.partition(".")
    with database.at_hand():
        function = getattr(import_module(f"containers.commands.{module}"), name)
        return int(function(given, output) or 0)


def failed(output: Output, error: OperationError, code: int) -> int:
    output.complain(f"{error}")
    if output.json:
        said = {"id": None, "state": "refused", **error.record, "code": int(code)}
        output.show(said, [])
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
