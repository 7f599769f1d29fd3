"""Everything pctl can be told: a command a line."""

import containers.kinds  # noqa: F401 (makes them known)
from containers.grammar import Command, Option
from containers.kind import order
from containers.node import values

FILE = Option("--file", "FILE", note='"-" or none: standard input')
REASON = Option("--reason", "TEXT", note="why; kept with the version")
GLOBAL = Option("--global", key="everywhere", note="the node's own, for every container")
CT, NAME = ("CTID",), ("CTID", "NAME")

LIST = (
    Option("--all", short="-a", note="all containers, not only running ones"),
    Option("--stopped", short="-S", note="only those that don't run"),
    Option("--no-header", short="-H", note="no line of headings"),
    Option("--output", "FIELD,…", short="-o", note="these columns; -L lists them"),
    Option("--only-ctid", short="-1", note="the same as -H -o ctid"),
    Option("--sort", "[-]FIELD", short="-s", note="sorted by that; - for backwards"),
    Option("--name", short="-n", note="names in place of host names"),
    Option("--no-trim", short="-t", note="long values whole"),
    Option("--list", short="-L", key="fields", note="the columns there are"),
    Option("--hostname", "PATTERN", short="-h", note="as a shell's pattern"),
    Option("--name_filter", "PATTERN", short="-N", note="as a shell's pattern"),
    Option("--description", "PATTERN", short="-d", note="as a shell's pattern"),
)
VZLIST = Command("list", "listing.list_", "List containers, as vzlist does", ("[CTID...]",), LIST)
OF_KINDS = tuple(command for kind in order() for command in kind.all_commands())
CONTAINERS = (
    Command("status", "listing.status", "Say how it stands, in one line", CT),
    VZLIST,
    Command("exec", "inside.exec_", "Run a command in it; 8 when that fails",
            ("CTID", "COMMAND...")),
    Command("exec2", "inside.exec2", "The same, with the command's own exit code",
            ("CTID", "COMMAND...")),
    Command("enter", "inside.enter", "Open a shell in it", CT,
            (Option("--exec", "COMMAND", note="that, and then leave"),)),
)  # fmt: skip

SCRIPTS = (
    Command("script list", "script.list_", "Action scripts and hooks", ("[CTID]",), (GLOBAL,)),
    Command("script show", "script.show", "The text of one", ("[CTID]", "NAME"),
            (GLOBAL, Option("--version", "N", values.whole, note="an earlier one"))),
    Command("script save", "script.save", "Keep a new version", ("[CTID]", "NAME"),
            (GLOBAL, FILE, REASON)),
    Command("script history", "script.history", "Who wrote which version, when and why",
            ("[CTID]", "NAME"), (GLOBAL,)),
    Command("script import", "script.import_", "Take scripts over from where OpenVZ has them",
            ("[CTID]", "[NAME]"), (GLOBAL, Option("--file", "FILE", note="from there"), REASON)),
)  # fmt: skip

REST = (
    Command("template list", "template.list_", "What containers can be made of"),
    Command("node show", "node.show", "This node: its settings, what it can", ("[NODE]",)),
    Command("node set", "node.change", "Change its settings", ("[NODE]",),
            (Option("--undo-profile", "documented|vzctl", note="what a failed start script undoes"),
             Option("--script-timeout", "SECONDS", values.whole, note="0: no limit"))),
    Command("operation list", "operation.list_", "The latest operations", ("[CTID]",),
            (Option("--all", short="-a", note="all of them, not only the latest 20"),)),
    Command("operation show", "operation.show", "Its steps and how they ended", ("ID",)),
    Command("operation log", "operation.log", "What was said, byte for byte", ("ID",),
            (Option("--follow", short="-f", note="until it ends"),)),
    Command("operation cancel", "operation.cancel", "End its running step and undo", ("ID",)),
    Command("user create", "user.create", "Make somebody who can sign in", ("NAME",),
            (Option("--staff", note="who may see and do everything"),
             Option("--email", "ADDRESS"),
             Option("--password-stdin", note="read the password, instead of giving a link"))),
    Command("user list", "user.list_", "Who can sign in"),
    Command("user password", "user.password", "Give a link to set a password with", ("NAME",),
            (Option("--password-stdin", note="read the password, instead of giving a link"),)),
    Command("user disable", "user.disable", "Let somebody sign in no more", ("NAME",)),
    Command("user enable", "user.enable", "Let somebody sign in again", ("NAME",)),
    Command("user reset-2fa", "user.reset_2fa", "Remove a second factor that was lost", ("NAME",)),
)  # fmt: skip

# The nouns' own words stand together, whichever kind they come from.
OF_CONTAINERS = tuple(c for c in OF_KINDS if c.program == "pctl" and " " not in c.words)
OF_VZCTL = (*OF_CONTAINERS, VZLIST)  # those whose options are vzctl's or vzlist's
ALL = (
    *OF_CONTAINERS,
    *CONTAINERS,
    *SCRIPTS,
    *(c for c in OF_KINDS if c.program == "pctl" and " " in c.words),
    *REST,
)
BY_WORDS = {command.words: command for command in ALL}
NOUNS = {command.words.split()[0] for command in ALL if " " in command.words}
ALIASES = {"delete": "destroy", "chkpnt": "suspend", "restore": "resume"}  # vzctl's own
COMMON = (
    Option("--json", short="-j", note="say it as JSON"),
    Option("--quiet", note="nothing but what was asked for"),
    Option("--verbose", note="accepted; pctl always says all"),
    Option("--help", note="what there is to give"),
)


def help_all() -> list[str]:
    lines = ["pctl runs and looks after containers, as vzctl does.", ""]
    width = max(len(command.usage) for command in ALL)
    lines += [f"  {command.usage:<{width}}  {command.does}" for command in ALL]
    lines += [f"  {'pctl options':<{width}}  vzctl's options and what becomes of each"]
    return [*lines, "", "pctl COMMAND --help tells the options of a command."]


def help_one(command: Command) -> list[str]:
    options = (*command.options, *COMMON)
    width = max(len(option.shown) for option in options)
    lines = [f"{command.usage}", f"{command.does}.", ""]
    for option in options:
        fate = "" if option.fate == option.fate.DONE else f"{option.fate}: "
        lines.append(f"  {option.shown:<{width}}  {fate}{option.note}".rstrip())
    return lines
