"""osctl: psc and its words, for snapshots of containers' processes and disks."""

import sys
from collections.abc import Sequence

from containers.commands import pctl, repertoire
from containers.commands.grammar import BadSyntax, Command, Given, Option, parse
from containers.commands.output import Output
from containers.node.errors import BadUsages, OperationError

CANT_TELL = 1  # what `ok` ends in when it could not look
ONE = ("CTID", "SNAPSHOT")
COMMANDS = tuple(
    Command(f"psc {words}", f"psc.{run}", does, operands, options, program="osctl")
    for words, run, does, operands, options in (
        ("create", "create", "Keep the processes and the disk of one instant", ("CTID",),
         (Option("--name", "TEXT", note="may stand in place of the UUID"),
          Option("--note", "TEXT"),
          Option("--stop", note="end it with the snapshot; its umount scripts run"),
          Option("--disk-only", note="leave its processes out"))),
        ("restore", "restore", "Put the container back to it: disk, and processes if kept", ONE,
         (Option("--no-safety", note="keep nothing of what it is now"),
          Option("--disk-only", note="leave the processes out; it is stopped then"),
          Option("--tcp-close", note="restore open connections as closed"))),
        ("list", "list_", "The snapshots of a container, or all of them", ("[CTID]",), ()),
        ("show", "show", "All that is known of one", ONE, ()),
        ("delete", "delete", "Delete one for good", ONE,
         (Option("--force", note="a protected one, too"),)),
        ("clone", "clone", "Make another container of one", (*ONE, "NEWCTID"),
         (Option("--processes", note="they live on in the clone"),
          Option("--hostname", "NAME"),
          Option("--owner", "USER"))),
        ("ok", "ok", "Can it be relied on? 0 ok, 1 can't tell, 2 broken or unknown", ONE,
         (Option("--trial-restore", note="restore it in a copy, and delete that"),
          Option("--rehearse", key="trial_restore", note="the same as --trial-restore"))),
        ("publish", "publish", "Make a template of its disk", (*ONE, "NAME"), ()),
        ("protect", "protect", "Let no schedule and no date delete it", ONE,
         (Option("--off", note="no more"),)),
    )
)  # fmt: skip
BY_WORD = {command.words.split()[1]: command for command in COMMANDS}
HELP = ("help", "--help", "-h")


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    output = Output(json="--json" in words)  # as long as the words have not been read
    asks = "ok" in words[:2]
    try:
        given = understand(words)
        if isinstance(given, list):
            output.out("".join(f"{line}\n" for line in given))
            return 0
        output = Output(json=given.get("json", False), quiet=given.get("quiet", False))
        return pctl.perform(given, output)
    except OperationError as error:
        return pctl.failed(output, error, CANT_TELL if asks else error.code)
    except KeyboardInterrupt:
        return pctl.INTERRUPTED


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
    lines = ["osctl psc keeps snapshots of containers and brings them back.", ""]
    lines += [f"  {command.usage:<{width}}  {command.does}" for command in COMMANDS]
    return [*lines, "", "SNAPSHOT is a UUID, the beginning of one, or a name. --json says it all."]


if __name__ == "__main__":
    sys.exit(main())
