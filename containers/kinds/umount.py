"""Run the umount scripts and dismount its private area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind
from containers.node.errors import OperationError, Problem
from containers.node.states import State

if TYPE_CHECKING:
    from containers.models import Container


class Umount(Kind):
    word, icon, place = "Dismount", "umount", 100
    params = (REPLACE_SCRIPTS,)
    commands = (Command("umount", "", "Dismount a container's private area", CT),)

    def unfit(self, container: Container) -> str:
        if container.state != State.SUSPENDED or container.left_mounted:
            return ""
        return OperationError(Problem.NOT_MOUNTED).told(staff=True)


KIND = Umount()
