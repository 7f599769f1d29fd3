"""Starts and stops with all scripts, from row commit to state commit, against bare commands."""

import time
from collections.abc import Callable
from sqlite3 import Connection
from statistics import median

from bench.bare import Bare
from bench.row import Row
from tests.real.panel import Panel

CTID = 101
PAIRS = 20
LIMIT = 1.5
PAUSE = 0.25  # seconds
LOOK = 0.002
KINDS = ("start", "stop")
OWN, GLOBAL = ("mount", "start", "stop", "umount"), ("mount", "umount")
PATIENCE = 60.0  # seconds


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
    with doorbell.at_home():
        operate(panel, "start")
        bare.prepare()
        operate(panel, "stop")
        for _ in range(PAIRS):
            by_panel.append(tuple(after_a_while(operate, panel, kind) for kind in KINDS))
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


def operate(panel: Panel, kind: str) -> float:
    """Seconds from the commit of its row to the commit that says it is done."""
    from django.db import transaction

    from containers.models import Container, Via
    from containers.node.states import FINISHED

    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.perf_counter()))  # before it rings
        operation = Container.objects.get(ctid=CTID).request(kind, via=Via.PCTL)
    rows = panel.database()
    deadline = time.monotonic() + PATIENCE
    while (state := state_of(operation.pk, rows)) not in FINISHED:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{operation} does not end")
        time.sleep(LOOK)
    took = time.perf_counter() - committed[0]
    rows.close()
    if state != "succeeded":
        raise RuntimeError(f"{operation} {state}: {panel.log(operation.pk).decode()}")
    return took


def state_of(operation: int, rows: Connection) -> str:
    found = rows.execute("select state from containers_operation where id = ?", [operation])
    return str(found.fetchone()[0])


def rows(by_panel: list[tuple[float, ...]], by_hand: list[tuple[float, ...]]) -> list[Row]:
    found = []
    for i, what in enumerate(KINDS):
        for who, times in (("bare", by_hand), ("panel", by_panel)):
            found.append(Row(f"{what}, {who}", 1000 * median(t[i] for t in times), "ms"))
    ratio = median(map(sum, by_panel)) / median(map(sum, by_hand))
    return [*found, Row(f"start + stop, panel / bare, {PAIRS} pairs", ratio, "times", LIMIT)]
