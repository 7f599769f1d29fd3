"""One operation of the panel: how long it takes, row to row, and what its steps take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import TYPE_CHECKING

from tests.real.panel import Panel

if TYPE_CHECKING:
    from containers.models import Operation

LOOK = 0.001  # seconds; to look more often would slow down what is looked at
DONE_WITHIN = 60.0  # seconds


@dataclass(frozen=True)
class Done:
    """seconds: from the commit of its row to the commit that says it is done."""

    number: int
    seconds: float

    @property
    def steps(self) -> float:
        """Seconds of its steps, in sum."""
        from containers.models import OperationStep

        mine = OperationStep.objects.filter(operation=self.number)
        took = (step.ended - step.began for step in mine if step.began and step.ended)
        return sum(each.total_seconds() for each in took)


def operate(panel: Panel, request: Callable[[], "Operation"], look: float = LOOK) -> Done:
    """Have it done. look: seconds between two looks whether it is. Raises RuntimeError."""
    from django.db import transaction

    from containers.node.states import FINISHED

    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.perf_counter()))  # before it rings
        operation = request()
    rows = panel.database()
    deadline = time.monotonic() + DONE_WITHIN
    while (state := state_of(operation.pk, rows)) not in FINISHED:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{operation} does not end")
        time.sleep(look)
    took = time.perf_counter() - committed[0]
    rows.close()
    if state != "succeeded":
        raise RuntimeError(f"{operation} {state}: {panel.log(operation.pk).decode()}")
    return Done(operation.pk, took)


def state_of(operation: int, rows: Connection) -> str:
    found = rows.execute("select state from containers_operation where id = ?", [operation])
    return str(found.fetchone()[0])
