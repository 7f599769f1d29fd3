"""Delete it and all that is its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind, Param

if TYPE_CHECKING:
    from containers.models import Container


def check(text: str, container: Container) -> str:
    if text.strip() in (f"{container.ctid}", container.hostname):
        return ""
    return f"That doesn't match. Type {container.ctid} or {container.hostname}."


class Destroy(Kind):
    noun = "deletion"
    word, icon, place, asks, danger = "Destroy", "trash", 130, True, True
    consequence = (
        "Its files, snapshots, settings and scripts on the node are deleted. No script runs."
    )
    caution = (
        "This cannot be undone.",
        "Its addresses and its CT ID become free. Its history stays.",
    )
    back = "Leave it as it is"
    params = (
        Param(
            "confirmation",
            label="Type its CT ID or host name to confirm",
            length=253,
            required="Type its CT ID or host name.",
            check=check,
            kept=False,
        ),
        REPLACE_SCRIPTS,
    )
    commands = (Command("destroy", "", "Delete a container and everything in it", CT),)

    def erases(self, asked: Mapping[str, Any]) -> bool:
        return True


KIND = Destroy()
