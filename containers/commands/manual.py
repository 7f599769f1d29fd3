"""What became of vzctl's options, as a table for the documents and for `pctl options`."""

from containers.commands import repertoire
from containers.grammar import Fate, Option


def markdown() -> str:
    """The README's table; what is not done stands together by its reason."""
    lines = ["| option | of | what becomes of it | |", "|---|---|---|---|"]
    for option, commands in merged().items():
        if option.fate is Fate.DONE:
            lines.append(f"| {code(option)} | {commands} | {option.fate} | {option.note} |")
    for (commands, fate, note), options in by_reason().items():
        lines.append(f"| {' '.join(map(code, options))} | {commands} | {fate} | {note} |")
    return "\n".join(lines) + "\n"


def code(option: Option) -> str:
    return "`" + option.shown.replace("|", "\\|") + "`"


def merged() -> dict[Option, str]:
    """The commands of each option."""
    found: dict[Option, list[str]] = {}
    for command in repertoire.OF_VZCTL:
        for option in command.options:
            found.setdefault(option, []).append(command.words)
    return {option: ", ".join(commands) for option, commands in found.items()}


def by_reason() -> dict[tuple[str, Fate, str], list[Option]]:
    found: dict[tuple[str, Fate, str], list[Option]] = {}
    for option, commands in merged().items():
        if option.fate is not Fate.DONE:
            found.setdefault((commands, option.fate, option.note), []).append(option)
    return found
