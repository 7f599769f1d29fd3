"""Starts and stops with all scripts, from row commit to state commit, against bare commands."""

import time
from collections.abc import Callable
from statistics import median

from bench.bare import Bare
from bench.operation import operate
from bench.row import Row
from tests.real.panel import Panel

CTID = 101
PAIRS = 20
LIMIT = 1.5
PAUSE = 0.25  # seconds
KINDS = ("start", "stop")
OWN, GLOBAL = ("mount", "start", "stop", "umount"), ("mount", "umount")


def measure(panel: Panel) -> list[Row]:
    """One round of the one, one of the other, and so on: what disturbs, disturbs both.

    Before each there is a moment of nothing, for nobody starts a container just as it stops: the
    kernel's first change of control groups after a while waits for a grace period.
    """
    from containers import doorbell

    make(panel)
    bare = Bare(panel.path(CTID))
    by_panel: list[tuple[float, ...]] = []
    by_hand: list[tuple[float, ...]] = []
    with doorbell.own_loop():
        change(panel, "start")
        bare.prepare()
        change(panel, "stop")
        for _ in range(PAIRS):
            by_panel.append(tuple(after_a_while(change, panel, kind) for kind in KINDS))
            by_hand.append((after_a_while(bare.start), after_a_while(bare.stop)))
    panel.pctl("destroy", CTID)
    return [*rows(by_panel, by_hand)]


def after_a_while(do: Callable[..., float], *with_: object) -> float:
    time.sleep(PAUSE)
    return do(*with_)


def make(panel: Panel) -> None:
    panel.pctl("create", CTID, "--ostemplate", "busybox", "--ram", "256M", "--pids", "256")
    for name in OWN:
        panel.save(CTID, name, f"#!/bin/bash\necho {name} of CT $VEID\n")
    for name in GLOBAL:
        panel.save("--global", name, f"#!/bin/bash\necho {name} for CT $VEID\n")


def change(panel: Panel, kind: str) -> float:
    from containers.models import Container, Via

    return operate(
        panel, lambda: Container.objects.get(ctid=CTID).request(kind, via=Via.PCTL)
    ).seconds


def rows(by_panel: list[tuple[float, ...]], by_hand: list[tuple[float, ...]]) -> list[Row]:
    found = []
    for i, what in enumerate(KINDS):
        for who, times in (("bare", by_hand), ("panel", by_panel)):
            found.append(Row(f"{what}, {who}", 1000 * median(t[i] for t in times), "ms"))
    ratio = median(map(sum, by_panel)) / median(map(sum, by_hand))
    return [*found, Row(f"start + stop, panel / bare, {PAIRS} pairs", ratio, "times", LIMIT)]
