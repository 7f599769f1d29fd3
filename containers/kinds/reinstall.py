"""Give it a new system; the one it had can be put back for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from containers import options
from containers.grammar import Command, Option, ignored, refused
from containers.kind import CT, WHY, Fact, Kind, Replacement
from containers.kinds.stop import WITHOUT_STOP_SCRIPT
from containers.node.states import State
from containers.permissions import REINSTALL

if TYPE_CHECKING:
    from containers.models import Container, Operation

NEVER_RUN = "scripts in the old system are never run"
OPTIONS = (
    Option("--ostemplate", "NAME[@N]", note="use another template than it has now"),
    Option(
        "--skipbackup", note="keep nothing of the old system: there is no /old and no pctl undo"
    ),
    Option("--resetpwdb", note="do not keep the users and passwords of the old system"),
    *options.ACCESS,
    Option("--start", note="start it afterwards even if it was not running"),
    WITHOUT_STOP_SCRIPT,
    Option(
        "--without-own-scripts",
        note="skip its start and stop scripts, which then stay disabled; needs --reason",
        needs_reason=True,
    ),
    *(param.option for param in (WHY,) if param.option),
    refused("--scripts", "A,B", f"{NEVER_RUN}, only the hooks"),
    ignored("--skipscripts", "", NEVER_RUN),
    refused("--listscripts", "", NEVER_RUN),
    ignored("--vzpkg_opts", "OPTIONS", "templates are not made by vzpkg"),
)
FACTS: dict[str, Fact] = {
    "template": lambda operation, container, said: container.take_template(said)
}
REASSURANCE = (
    "You can close this page: the operation continues by itself. If anything fails before the last "
    "steps, {name} is put back to what it was."
)


class Reinstall(Kind):
    noun = "reinstallation"
    word, icon, place, asks = "Reinstall", "layers", 70, True
    page = "reinstallation"
    permission = REINSTALL
    starts = replaces = drafted = True
    reassurance = REASSURANCE
    facts = FACTS
    commands = (
        Command(
            "reinstall", "reinstall.reinstall",
            "Give a container a new system; the old files go to /old", CT, OPTIONS,
        ),
    )  # fmt: skip

    def unfit(self, container: Container) -> str:
        if container.state != State.BROKEN:
            return ""
        return "The container's files are missing: there is nothing to reinstall."

    def erases(self, asked: Mapping[str, Any]) -> bool:
        """Neither copied to /old nor kept for an undo."""
        return bool(asked.get("skipbackup")) and not asked.get("keep_until")

    def succeeded(self, operation: Operation, container: Container) -> None:
        """Scripts that the new system could not start with stay off until turned on again."""
        container.leave_snapshots()
        if operation.params.get("without_own_scripts"):
            container.switch_off_scripts(operation)

    def replacement(self, operation: Operation) -> Replacement:
        return Replacement(
            "has its new system",
            old=not operation.params.get("skipbackup"),
            erased=not operation.params.get("keep_until"),
            number=operation.pk,
        )


KIND = Reinstall()
