"""vzcptcheck, which migration scripts run once a container, against a bare interpreter."""

import subprocess
import sys
import time
from statistics import median

from bench.row import Row
from containers.node.conf import CHECKOUT
from tests.real.panel import Panel

PAIRS = 30
LIMIT = 2.0
NOTHING = ("-c", "pass")
KINDS = ("version", "caps")


def measure(panel: Panel) -> list[Row]:
    """As its launcher in /usr/local/sbin starts it."""
    times: dict[str, list[float]] = {"": [], **{kind: [] for kind in KINDS}}
    for _ in range(PAIRS):
        times[""].append(timed(panel, *NOTHING))
        for kind in KINDS:
            times[kind].append(timed(panel, "-P", "-m", "containers.commands.vzcptcheck", kind))
    bare = median(times[""])
    return [
        Row("bare interpreter", 1000 * bare, "ms"),
        *(Row(f"vzcptcheck {kind}", 1000 * median(times[kind]), "ms") for kind in KINDS),
        *(Row(f"vzcptcheck {kind} / bare interpreter, {PAIRS} pairs", median(times[kind]) / bare,
              "times", LIMIT) for kind in KINDS),
    ]  # fmt: skip


def timed(panel: Panel, *words: str) -> float:
    env = {**panel.env, "PYTHONPATH": f"{CHECKOUT}"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
