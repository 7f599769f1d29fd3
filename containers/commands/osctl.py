"""osctl: psc and its words, for snapshots of containers' processes and disks."""

import sys
from collections.abc import Sequence

from containers.commands import pctl, repertoire
from containers.grammar import BadSyntax, Command, Given, Option, parse
from containers.node.errors import BadUsages

CANT_TELL = 1  # what `ok` ends in when it could not look
ONE = ("CTID", "SNAPSHOT")
COMMANDS = (
    *(command for command in repertoire.OF_KINDS if command.program == "osctl"),
    *(
        Command(f"psc {words}", f"psc.{run}", does, operands, options, program="osctl")
        for words, run, does, operands, options in (
            ("list", "list_", "List the snapshots of a container, or all of them", ("[CTID]",), ()),
            ("show", "show", "Show everything known about a snapshot", ONE, ()),
            ("ok", "ok", "Check a snapshot; exit code 0 ok, 1 can't tell, 2 broken or unknown", ONE,
             (Option("--trial-restore", note="also restore it in a copy, which is deleted again"),
              Option("--rehearse", key="trial_restore", note="the same as --trial-restore"))),
            ("protect", "protect", "Protect a snapshot from automatic deletion", ONE,
             (Option("--off", note="remove the protection"),)),
        )
    ),
)  # fmt: skip
BY_WORD = {command.words.split()[1]: command for command in COMMANDS}
HELP = ("help", "--help", "-h")


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    return pctl.obey(words, understand, failure=CANT_TELL if "ok" in words[:2] else None)


def understand(words: list[str]) -> Given | list[str]:
    """What was asked for; lines to print when that was help. Raises BadSyntax, BadValue."""
    left = words[1:] if words[:1] == ["psc"] else words
    if not left or left[0] in HELP:
        return help_all()
    command = BY_WORD.get(left[0]) if words[:1] == ["psc"] else None
    if command is None:
        raise BadSyntax(BadUsages.BAD_COMMAND, words=" ".join(words[:2]), program="osctl")
    if "--help" in left:
        return repertoire.help_one(command)
    return parse(command, left[1:], repertoire.COMMON)


def help_all() -> list[str]:
    width = max(len(command.usage) for command in COMMANDS)
    lines = ["osctl psc takes snapshots of containers and restores them.", ""]
    lines += [f"  {command.usage:<{width}}  {command.does}" for command in COMMANDS]
    return [
        *lines,
        "",
        "SNAPSHOT is a UUID, the beginning of one, or a name. --json prints everything.",
    ]


if __name__ == "__main__":
    sys.exit(main())
