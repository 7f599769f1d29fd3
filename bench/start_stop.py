"""Starts and stops with all scripts, from row commit to state commit, against bare commands."""

import time
from statistics import median

from bench.bare import Bare
from bench.row import Row
from tests.real.panel import Panel

CTID = 101
PAIRS = 20
LIMIT = 1.5
OWN, GLOBAL = ("mount", "start", "stop", "umount"), ("mount", "umount")
PATIENCE = 60.0  # seconds


def measure(panel: Panel) -> list[Row]:
    """One round of the one, one of the other, and so on: what disturbs, disturbs both."""
    from containers import doorbell

    make(panel)
    bare = Bare(panel.path(CTID))
    by_panel, by_hand = [], []
    with doorbell.at_home():
        operate(panel, "start")
        bare.prepare()
        operate(panel, "stop")
        for _ in range(PAIRS):
            by_panel.append((operate(panel, "start"), operate(panel, "stop")))
            by_hand.append((bare.start(), bare.stop()))
    panel.pctl("destroy", CTID)
    return [*rows(by_panel, by_hand)]


def make(panel: Panel) -> None:
    panel.pctl("create", CTID, "--ostemplate", "busybox", "--ram", "256M", "--pids", "256")
    for name in OWN:
        panel.save(CTID, name, f"#!/bin/bash\necho {name} of CT $VEID\n")
    for name in GLOBAL:
        panel.save("--global", name, f"#!/bin/bash\necho {name} for CT $VEID\n")


def operate(panel: Panel, kind: str) -> float:
    """Seconds from the commit of its row to the commit that says it is done."""
    from django.db import connection, transaction

    from containers.models import Container, Via
    from containers.node.states import FINISHED

    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.perf_counter()))  # before it rings
        operation = Container.objects.get(ctid=CTID).request(kind, via=Via.PCTL)
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as rows:
        while time.monotonic() < deadline:
            rows.execute("select state from containers_operation where id = %s", [operation.pk])
            state = rows.fetchone()[0]
            if state in FINISHED:
                took = time.perf_counter() - committed[0]
                if state != "succeeded":
                    raise RuntimeError(f"{operation} {state}: {panel.log(operation.pk).decode()}")
                return took
            time.sleep(0.001)
    raise TimeoutError(f"{operation} does not end")


def rows(by_panel: list[tuple[float, float]], by_hand: list[tuple[float, float]]) -> list[Row]:
    found = []
    for i, what in enumerate(("start", "stop")):
        for who, times in (("bare", by_hand), ("panel", by_panel)):
            found.append(Row(f"{what}, {who}", 1000 * median(t[i] for t in times), "ms"))
    ratio = median(map(sum, by_panel)) / median(map(sum, by_hand))
    return [*found, Row(f"start + stop, panel / bare, {PAIRS} pairs", ratio, "×", LIMIT)]
