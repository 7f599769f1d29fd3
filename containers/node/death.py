"""How a container's init ended, as its monitor saw it."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL
from typing import Any

from containers.node.errors import Code, OperationError, Problem

FIRST_SECONDS = 5.0  # an init that ends within them has not been started
ASKED_FOR = (SIGHUP, SIGINT)  # how the kernel ends an init that asked to reboot, or to halt
LINES, WIDTH = 5, 200  # of its last words that are told
COUNTERS = {"memory": "memory.oom_control", "": "memory.events"}  # of v1, v2
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")


@dataclass(frozen=True)
class Death:
    """exit: the exit code, or the negated number of the signal that ended it; None when only its
    parent could have known. began: when it was started, in seconds since 1970. lived: seconds.
    last: its last lines, harmless to show.
    """

    exit: int | None
    lived: float | None
    began: float = 0.0
    out_of_memory: bool = False
    last: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Death":
        """event: a monitor's "gone"; those of before this version say less."""
        code, signal = event.get("code"), event.get("signal")
        exit, lived = code if signal is None else -signal, event.get("lived")
        began = event.get("t", 0.0) - (lived or 0.0)
        return cls(exit, lived, began, bool(event.get("oom")), tuple(event.get("last", ())))

    @property
    def early(self) -> bool:
        """Whether it makes its start a failed one. To ask for a halt or a reboot is no failure."""
        asked = self.exit is not None and -self.exit in ASKED_FOR
        return not asked and self.lived is not None and self.lived < FIRST_SECONDS

    @property
    def unasked(self) -> bool:
        """Whether nobody wanted it to end: the kernel or somebody killed it, or it has failed."""
        if self.exit is None:
            return False  # nobody can tell
        return self.early or (self.exit != 0 and -self.exit not in ASKED_FOR)

    def error(self, code: Code | None = None) -> OperationError:
        """code: vzctl's, where it is not that of a start."""
        said: dict[str, Any] = {"exit": self.exit, "lived": self.lived, "last": list(self.last)}
        if self.out_of_memory and self.exit == -SIGKILL:
            return OperationError(Problem.INIT_OUT_OF_MEMORY, code, **said)
        return OperationError(Problem.INIT_DIED, code, **said)


def out_of_memory(groups: Mapping[str, Path]) -> bool:
    """Whether the kernel has killed somebody for want of memory in a container's control groups.

    groups: as observed.cgroup_paths has them.
    """
    for name, file in COUNTERS.items():
        with contextlib.suppress(KeyError, OSError, ValueError):
            words = (groups[name] / file).read_text().split()
            if int(words[words.index("oom_kill") + 1]):
                return True
    return False


def last_lines(said: bytes) -> tuple[str, ...]:
    """Of what a console showed; without what would move a cursor or hide something."""
    text = ESCAPES.sub("", said.decode(errors="replace"))
    lines = [plain(line.rstrip("\r").rpartition("\r")[2]) for line in text.split("\n")]
    return tuple([line for line in lines if line][-LINES:])


def plain(line: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in line)
    return " ".join(shown.split())[:WIDTH]
