"""Change a container's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers import options
from containers.grammar import Command
from containers.kind import CT, Kind
from containers.node.wording import capitalized

if TYPE_CHECKING:
    from containers.models import Container, Operation


class Set(Kind):
    titled = "Change settings of {name}"
    noun = "change"
    place, page = 120, "settings"
    alarms = False
    commands = (
        Command("set", "container.change", "Change a container's settings", CT, options.SET),
    )

    def named(self, operation: Operation) -> str:
        """Setting a password is called so."""
        return access(operation) or super().named(operation)

    def called(self, operation: Operation) -> str:
        said = access(operation)
        name = operation.container.hostname if operation.container else f"CT {operation.ctid}"
        return f"{said} in {name}" if said else super().called(operation)

    def succeeded(self, operation: Operation, container: Container) -> None:
        container.take_settings(operation)


def access(operation: Operation) -> str:
    """What is set of who gets in; empty when settings change."""
    changed = operation.params.get("changed", ())
    user = operation.params.get("password_of", "")
    password = f"set {user}'s password" if user else "set a password"
    words = {"userpasswd": password, "sshkeys": "add SSH keys"}
    if not changed or not words.keys() >= set(changed):
        return ""
    return capitalized(" and ".join(words[name] for name in words if name in changed))


KIND = Set()
