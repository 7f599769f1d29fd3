"""vzctl's options, one a line: what is done, what is passed over with a warning, what is refused.

Passed over is what has no meaning here and changes nothing a container's owner would miss;
refused is what would leave a container with other rights or places than were asked for.
The options are those of vzctl 4.11.
"""

from containers import passwords
from containers.grammar import Fate, Option
from containers.node import openvz, settings
from containers.node.access import typed
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


def account(text: str) -> dict[str, str]:
    """USER:PASSWORD; the password has to be as good as people's own."""
    return typed.account(text, passwords.check)


ACCESS = (
    Option("--userpasswd", "USER:PASSWORD", account,
           note='"-" reads it from standard input; only its hash is kept'),
    Option("--sshkey", "FILE", typed.keys, key="sshkeys", many=True,
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
