"""Run one command in it, its output in the log. pctl does that with the caller's own terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from containers.kind import Kind, Param

if TYPE_CHECKING:
    from containers.models import Container, Operation


def check(text: str, container: Container) -> str:
    return "" if text.strip() and "\0" not in text else "Enter a command."


class Exec(Kind):
    titled = "Run a command in {name}"
    noun = "command"
    word, icon, place, asks = "Run a command", "terminal", 110, True
    heading = "Run a command in {name}"
    alarms = changes = False
    params = (
        Param(
            "command",
            label="Command",
            help="The container's shell runs it as root. It is kept in the history, so put no "
            "passwords in it",
            length=4096,
            raw=True,
            focus=True,
            required="Enter a command.",
            check=check,
        ),
    )

    def told(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"command": ["/bin/sh", "-c", asked["command"]]}

    def command_line(self, operation: Operation) -> str:
        words = operation.params.get("command") or [""]
        return f"{words[-1]}"


KIND = Exec()
