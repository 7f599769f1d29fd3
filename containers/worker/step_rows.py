"""The rows of an operation's steps, held by whoever ships its journal: what is new of them, of
however many, is one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from containers.models import Operation, OperationStep
from containers.node.states import StepState

Values = dict[str, Any]
SAME = ("id", "operation", "number")  # of a row, whatever is written
WRITTEN = [each.name for each in OperationStep._meta.fields if each.name not in SAME]
UNDO = {StepState.DONE: StepState.UNDONE, StepState.FAILED: StepState.UNDO_FAILED}


@dataclass
class StepRows:
    operation: Operation
    rows: dict[int, OperationStep] = field(default_factory=dict)
    changed: dict[int, OperationStep] = field(default_factory=dict)

    @classmethod
    def of(cls, operation: Operation) -> StepRows:
        """As they are in the database; none before its first event is there."""
        rows = operation.steps.all() if operation.events_len else ()
        return cls(operation, {row.number: row for row in rows})

    def plan(self, number: int, values: Values) -> None:
        """One is to come; a recovery may tell of it once more."""
        if number not in self.rows:
            self.change(number, values)

    def change(self, number: int, values: Values) -> None:
        """Undo steps are not planned, and have words of their own for how they ended."""
        row = self.rows.setdefault(number, OperationStep(operation=self.operation, number=number))
        for name, value in values.items():
            setattr(row, name, value)
        if row.undo and row.state in UNDO:
            row.state = UNDO[StepState(row.state)]
        self.changed[number] = row

    def skip(self, number: int, why: str) -> None:
        if number in self.rows:
            self.change(number, {"state": StepState.SKIPPED, "note": why})

    def write(self) -> None:
        """In the caller's transaction. Where that fails the events are told once more."""
        for row in self.changed.values():
            row.pk = None  # it is found by its number
        if self.changed:
            OperationStep.objects.bulk_create(
                self.changed.values(),
                update_conflicts=True,
                unique_fields=["operation", "number"],
                update_fields=WRITTEN,
            )
        self.changed.clear()
