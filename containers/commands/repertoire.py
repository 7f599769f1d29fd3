"""Everything pctl can be told: a command a line."""

import containers.kinds  # noqa: F401 (makes them known)
from containers.grammar import Command, Option, ignored
from containers.kind import order
from containers.node import values

FILE = Option("--file", "FILE", note='read the script from there; "-" or nothing: standard input')
REASON = Option("--reason", "TEXT", note="why; it is kept with the version")
GLOBAL = Option(
    "--global", key="everywhere", note="the node's script, which runs for every container"
)
PASSWORD = Option(
    "--password-stdin", note="read the password from standard input instead of making a link"
)
CT, NAME = ("CTID",), ("CTID", "NAME")

LIST = (
    Option("--all", short="-a", note="list all containers, not only running ones"),
    Option("--stopped", short="-S", note="list only containers that are not running"),
    Option("--no-header", short="-H", note="leave out the headings"),
    Option("--output", "FIELD,…", short="-o", note="show these columns; -L lists them"),
    Option("--only-ctid", short="-1", note="the same as -H -o ctid"),
    Option("--sort", "[-]FIELD", short="-s", note="sort by this column; - reverses the order"),
    Option("--name", short="-n", note="show names instead of host names"),
    Option("--no-trim", short="-t", note="do not cut long values"),
    Option("--list", short="-L", key="fields", note="list the available columns"),
    Option(
        "--hostname", "PATTERN", short="-h", note="list only matching host names; a shell pattern"
    ),
    Option(
        "--name_filter", "PATTERN", short="-N", note="list only matching names; a shell pattern"
    ),
    Option(
        "--description",
        "PATTERN",
        short="-d",
        note="list only matching descriptions; a shell pattern",
    ),
)
VZLIST = Command("list", "listing.list_", "List containers, as vzlist does", ("[CTID...]",), LIST)
OF_KINDS = tuple(command for kind in order() for command in kind.all_commands())
CONTAINERS = (
    Command("status", "listing.status", "Show the status of a container in one line", CT),
    VZLIST,
    Command("exec", "inside.exec_", "Run a command in a container; exits with 8 if it fails",
            ("CTID", "COMMAND...")),
    Command("exec2", "inside.exec2", "The same, but exits with the command's own exit code",
            ("CTID", "COMMAND...")),
    Command("exec3", "inside.exec3", "The same, but without a shell", ("CTID", "COMMAND...")),
    Command("runscript", "inside.runscript",
            "Run a script of this node in a container; exits with its exit code",
            ("CTID", "FILE")),
    Command("console", "console.attach",
            "Attach to a container's console; Esc and then . at the start of a line detach",
            ("CTID", "[TTY]")),
    Command("enter", "inside.enter", "Open a shell in a container", CT,
            (Option("--exec", "COMMAND", note="run this command and leave"),)),
)  # fmt: skip

SNAPSHOT_ID = Option("--id", "UUID", note="which one")
UUID = Option("--uuid", "UUID", key="id", note="the same as --id")
SKIP_CONFIG = ignored("--skip-config", "", "a snapshot has its configuration, too")
SNAPSHOTS = (
    Command("snapshot", "vzsnapshot.create", "Take a snapshot, as osctl psc create does", CT,
            (Option("--id", "UUID", note="the UUID that it gets; else a new one"),
             Option("--uuid", "UUID", key="id", note="the same as --id"),
             Option("--name", "NAME"),
             Option("--description", "TEXT"),
             Option("--skip-suspend", note="save only the disk"),
             SKIP_CONFIG)),
    Command("snapshot-list", "vzsnapshot.list_", "List the snapshots of a container", CT,
            (Option("--no-header", short="-H", note="leave out the headings"),
             Option("--output", "FIELD,…", short="-o", note="show these columns; -L lists them"),
             Option("--list", short="-L", key="fields", note="list the available columns"),
             Option("--id", "UUID", note="only that one and those before it"),
             UUID)),
    Command("snapshot-switch", "vzsnapshot.switch",
            "Go back to a snapshot, as osctl psc restore does", CT,
            (SNAPSHOT_ID, UUID,
             Option("--skip-resume", note="restore only the disk; the container is stopped then"),
             Option("--must-resume", note="fail, and put all back, if its processes can't be"
                    " restored; that is so without it, too"),
             SKIP_CONFIG)),
    Command("snapshot-delete", "vzsnapshot.delete", "Delete a snapshot", CT, (SNAPSHOT_ID, UUID)),
)  # fmt: skip

SCRIPTS = (
    Command("script list", "script.list_", "List action scripts and hooks", ("[CTID]",), (GLOBAL,)),
    Command("script show", "script.show", "Show the text of a script", ("[CTID]", "NAME"),
            (GLOBAL, Option("--version", "N", values.whole, note="an earlier version"))),
    Command("script save", "script.save", "Save a new version of a script", ("[CTID]", "NAME"),
            (GLOBAL, FILE, REASON)),
    Command("script history", "script.history", "Show who wrote which version, when and why",
            ("[CTID]", "NAME"), (GLOBAL,)),
    Command("script import", "script.import_", "Import scripts from where OpenVZ keeps them",
            ("[CTID]", "[NAME]"),
            (GLOBAL, Option("--file", "FILE", note="import this file"), REASON)),
    Command("script approvals", "approval.approvals", "List scripts that wait for approval", (),
            (Option("--all", short="-a", note="list those that are approved, too"),)),
    Command("script approve", "approval.approve",
            "Show a script, or what changed in it, and let it run on this node",
            ("[CTID]", "[NAME]"),
            (GLOBAL, Option("--yes", note="do not ask"))),
    Command("script withdraw", "approval.withdraw", "Withdraw every approval of a script",
            ("[CTID]", "NAME"), (GLOBAL,)),
)  # fmt: skip

REST = (
    Command("template list", "template.list_", "List the templates"),
    Command("node show", "node.show", "Show a node, its settings and what it supports",
            ("[NODE]",)),
    Command("node set", "node.change", "Change a node's settings", ("[NODE]",),
            (Option("--undo-profile", "documented|vzctl",
                    note="how a failed start script is undone"),
             Option("--script-timeout", "SECONDS", values.count,
                    note="time limit of a script; 0: no limit"),
             Option("--log-limit", "MIB", values.count,
                    note="how much of a log is kept, 64 unless changed"),
             Option("--reach", "owner|none|all",
                    note="which containers of the node reach one another"))),
    Command("node stop", "shutdown.stop",
            "Stop all containers of this node, or suspend them, as its shutdown does", (),
            (Option("--timeout", "SECONDS", values.whole,
                    note="then those that have not ended are killed; 300, or NODE_STOP_TIMEOUT"),)),
    Command("node start", "boot.start",
            "Start the containers that start with this node, and resume those it suspended", (),
            (Option("--no-wait", note="leave it to the node's worker"),)),
    Command("operation list", "operation.list_", "List the latest operations", ("[CTID]",),
            (Option("--all", short="-a", note="list all of them, not only the latest 20"),)),
    Command("operation show", "operation.show", "Show an operation, its steps and how they ended",
            ("ID",)),
    Command("operation log", "operation.log", "Show the log of an operation, byte for byte",
            ("ID",),
            (Option("--follow", short="-f", note="follow it until the operation ends"),)),
    Command("operation cancel", "operation.cancel",
            "Cancel an operation: end its running step and undo", ("ID",)),
    Command("audit verify", "ledger.verify",
            "Compare the audit with what this node has seen of it; exits with 3 if they differ",
            (),
            (Option("--head", "LINES:HASH",
                    note="what an earlier verify printed: it has to be in there still"),)),
    Command("audit export", "ledger.export", "Print the audit as JSON lines, as this node saw it",
            (),
            (Option("--since", "TIME", note="only from then on, as 2026-01-31 or with a time"),
             Option("--until", "TIME", note="only before then"))),
    Command("user create", "user.create", "Create a user who can sign in", ("NAME",),
            (Option("--staff", note="hosting staff, who may see and do everything"),
             Option("--email", "ADDRESS"),
             PASSWORD)),
    Command("user list", "user.list_", "List the users"),
    Command("user password", "user.password", "Make a link to set a password with", ("NAME",),
            (PASSWORD,)),
    Command("user disable", "user.disable", "Stop a user from signing in", ("NAME",)),
    Command("user enable", "user.enable", "Let a user sign in again", ("NAME",)),
    Command("user reset-2fa", "user.reset_2fa", "Remove a second factor that was lost", ("NAME",)),
)  # fmt: skip

# The nouns' own words stand together, whichever kind they come from.
OF_CONTAINERS = tuple(c for c in OF_KINDS if c.program == "pctl" and " " not in c.words)
OF_VZCTL = (*OF_CONTAINERS, *SNAPSHOTS, VZLIST)  # those whose options are vzctl's or vzlist's
ALL = (
    *OF_CONTAINERS,
    *CONTAINERS,
    *SNAPSHOTS,
    *SCRIPTS,
    *(c for c in OF_KINDS if c.program == "pctl" and " " in c.words),
    *REST,
)
BY_WORDS = {command.words: command for command in ALL}
NOUNS = {command.words.split()[0] for command in ALL if " " in command.words}
ALIASES = {"delete": "destroy", "chkpnt": "suspend", "restore": "resume"}  # vzctl's own
COMMON = (
    Option("--json", short="-j", note="print JSON"),
    Option("--quiet", note="print only what was asked for"),
    Option("--verbose", note="accepted; pctl always prints everything"),
    Option("--help", note="show this help"),
)


def help_all() -> list[str]:
    lines = ["pctl manages containers, as vzctl does.", ""]
    width = max(len(command.usage) for command in ALL)
    lines += [f"  {command.usage:<{width}}  {command.does}" for command in ALL]
    lines += [f"  {'pctl options':<{width}}  Show vzctl's options and what pctl does with each"]
    return [*lines, "", "pctl COMMAND --help shows the options of a command."]


def help_one(command: Command) -> list[str]:
    options = (*command.options, *COMMON)
    width = max(len(option.shown) for option in options)
    lines = [f"{command.usage}", f"{command.does}.", ""]
    for option in options:
        fate = "" if option.fate == option.fate.DONE else f"{option.fate}: "
        lines.append(f"  {option.shown:<{width}}  {fate}{option.note}".rstrip())
    return lines
