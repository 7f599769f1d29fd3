"""How many of a container's tasks want to run, on average: as the kernel counts the machine's."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

SPANS = (60.0, 300.0, 900.0)  # seconds
WANTING = ("R", "D")  # states of tasks that run or would if a disk had answered
TASKS = {"pids": "tasks", "memory": "tasks", "cpu": "tasks", "": "cgroup.threads"}


def averages(
    groups: Mapping[str, Path], former: Sequence[float] | None, seconds: float
) -> list[float] | None:
    """Over 1, 5 and 15 minutes; None where nobody can tell. former: those of so long ago."""
    wanting = count(groups)
    if wanting is None:
        return None
    before = former if former and len(former) == len(SPANS) else [0.0] * len(SPANS)
    kept = [math.exp(-seconds / span) for span in SPANS]
    return [
        round(old * part + wanting * (1 - part), 4) for old, part in zip(before, kept, strict=True)
    ]


def count(groups: Mapping[str, Path]) -> int | None:
    name = next((name for name in TASKS if name in groups), None)
    if name is None:
        return None
    found = 0
    for file in groups[name].glob(f"**/{TASKS[name]}"):
        with contextlib.suppress(OSError):
            found += sum(state(task) in WANTING for task in file.read_text().split())
    return found


def state(task: str) -> str:
    with contextlib.suppress(OSError):
        # Its name, in parentheses, may have any characters in it.
        return Path(f"/proc/{task}/stat").read_text().rpartition(") ")[2][:1]
    return ""
