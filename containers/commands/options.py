"""vzctl's options, one a line: what is done, what is passed over with a warning, what is refused.

Passed over is what has no meaning here and changes nothing a container's owner would miss;
refused is what would leave a container with other rights or places than were asked for.
The options are those of vzctl 4.11.
"""

from containers.commands import values
from containers.commands.grammar import Fate, Option
from containers.node import openvz, settings
from containers.node.setting import Setting

FATES = {openvz.Fate.IGNORED: Fate.IGNORED, openvz.Fate.REFUSED: Fate.REFUSED}


def of(setting: Setting) -> list[Option]:
    """The options that give a setting."""
    return [
        Option(
            word.option,
            word.value,
            word.read,
            key=word.key or setting.name,
            many=word.many,
            note=word.note,
        )
        for word in setting.options
    ]


def not_here(command: str) -> list[Option]:
    """vzctl's options of a command that have no meaning here, or none that could be kept."""
    return [
        Option(name, value, fate=FATES[other.fate], note=other.why)
        for other in openvz.OTHERS
        if command in other.of
        for name, value in other.options
    ]


def ignored(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.IGNORED, note=note)


def refused(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.REFUSED, note=note)


ACCESS = (
    Option("--userpasswd", "USER:PASSWORD", values.account,
           note='"-" reads it from standard input; only its hash is kept'),
    Option("--sshkey", "FILE", values.keys, key="sshkeys", many=True,
           note="public keys that may sign in as root"),
)  # fmt: skip
# What a container shall be, for create and set alike
SHALL = (*(option for setting in settings.TABLE for option in of(setting)), *ACCESS)

CREATE = (
    Option("--ostemplate", "NAME[@N]", note="NAME is its newest version; DEF_OSTEMPLATE else"),
    *SHALL,
    *not_here("create"),
)
SET = (
    *SHALL,
    Option("--ipdel", "ADDRESS|all", many=True, note="goes before what --ipadd adds"),
    Option("--save", note="what is set is always kept"),
    Option("--force", note="changes nothing: what is set is always kept"),
    *not_here("set"),
)

START = (
    Option("--force", note="also when it is disabled"),
    Option("--discard", note="also when it is suspended: its kept processes are thrown away"),
    Option("--skip-remount", note="a mounted one is started as it is"),
    ignored("--wait", "", "pctl follows the start to its end"),
    ignored("--skip-fsck", "", "there is no image to check"),
)
STOP = (
    Option("--fast", note="kill it; its scripts run all the same"),
    Option("--skip-umount", note="it stays mounted"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option("--reason", "TEXT", note="kept with the operation"),
)
RESTART = (
    Option("--force", note="also when it is disabled"),
    Option("--fast", note="kill it; its scripts run all the same"),
    ignored("--wait", "", "pctl follows the start to its end"),
    ignored("--skip-fsck", "", "there is no image to check"),
)
SUSPEND = (refused("--dumpfile", "PATH", "the node keeps its dumps itself"),)
REINSTALL = (
    Option("--ostemplate", "NAME[@N]", note="another template than it has"),
    Option("--skipbackup", note="keep nothing of the old system: no /old, no pctl undo"),
    Option("--resetpwdb", note="keep no users and passwords of the old system"),
    *ACCESS,
    Option("--start", note="start it afterwards, though it did not run"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option(
        "--without-own-scripts",
        note="its own start and stop scripts, which then stay off; needs --reason",
    ),
    Option("--reason", "TEXT", note="kept with the operation"),
    refused("--scripts", "A,B", "scripts in the old system are never run; the hooks are"),
    ignored("--skipscripts", "", "scripts in the old system are never run"),
    refused("--listscripts", "", "scripts in the old system are never run"),
    ignored("--vzpkg_opts", "OPTIONS", "templates are not made by vzpkg"),
)
UNDO = (
    Option("--list", note="only show what can be put back, and until when"),
    Option("--operation", "ID", values.whole, note="the reinstallation; else the last one"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option("--reason", "TEXT", note="kept with the operation"),
)
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

BY_COMMAND = {
    "create": CREATE, "set": SET, "start": START, "stop": STOP, "restart": RESTART,
    "suspend": SUSPEND, "resume": SUSPEND, "reinstall": REINSTALL, "undo": UNDO, "list": LIST,
}  # fmt: skip
LATER = ("suspend", "resume")  # offered as soon as there is a plan for them


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
    from containers.node.operations import PLANS  # not for help, which is to be quick

    found: dict[Option, list[str]] = {}
    for command, options in BY_COMMAND.items():
        for option in options if command in PLANS or command not in LATER else ():
            found.setdefault(option, []).append(command)
    return {option: ", ".join(commands) for option, commands in found.items()}


def by_reason() -> dict[tuple[str, Fate, str], list[Option]]:
    found: dict[tuple[str, Fate, str], list[Option]] = {}
    for option, commands in merged().items():
        if option.fate is not Fate.DONE:
            found.setdefault((commands, option.fate, option.note), []).append(option)
    return found
