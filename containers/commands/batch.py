"""Operations on many containers of this node at the same time. Nobody at work? Then we are."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from containers.commands.work import Work
from containers.models import Node, Operation
from containers.node.errors import OperationError, Problem

TICK = 0.1  # seconds between two looks


class Batch:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.asked: set[int] = set()  # primary keys of operations
        self.held = ExitStack()
        self.work: Work | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, operation: Operation) -> None:
        self.asked.add(operation.pk)

    @property
    def unfinished(self) -> set[int]:
        found = Operation.objects.unfinished().filter(pk__in=self.asked)
        return set(found.values_list("pk", flat=True))

    def wait(self) -> None:
        """Until something may have happened. Raises OperationError when our own work stopped."""
        if self.work and (failure := self.work.failure):
            raise OperationError(Problem.WORK_STOPPED, why=failure) from failure
        if self.work is None or (self.work.left.is_set() and self.unfinished):
            self.held.close()
            self.work = self.held.enter_context(Work(self.node, self.asked))
        self.work.wait(TICK)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.held.__exit__(kind, error, trace)
