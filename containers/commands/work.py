"""The node's work, done by pctl itself as long as nobody else is at it."""

import os
from collections.abc import Collection
from threading import Event, Thread
from types import TracebackType
from typing import Self

from django.conf import settings

from containers.commands.places import here
from containers.models import Node
from containers.node.errors import Locked
from containers.node.runtimes import DRY_RUN
from containers.worker import Worker, lock

AGAIN = 0.2  # seconds between two tries: whoever is at work now may be a pctl that leaves soon


class Work:
    """Be the node's worker until operations have ended, unless somebody else is.

    operations: their primary keys, which may become more meanwhile.
    failure: what ended our own work too early.
    """

    def __init__(self, node: Node, operations: Collection[int]) -> None:
        self.node, self.operations = node, operations
        self.left = Event()
        self.failure: BaseException | None = None
        self.worker = Worker(settings.NODE, node, who="pctl")
        self.thread = Thread(target=self.run, name="worker", daemon=True)

    def __enter__(self) -> Self:
        root = os.geteuid() == 0 or settings.RUNTIME == DRY_RUN
        if here(self.node) and root:
            self.thread.start()
        return self

    def run(self) -> None:
        while not self.left.is_set():
            try:
                self.worker.run(until=self.operations)
                break
            except Locked:
                self.left.wait(AGAIN)
            except BaseException as error:  # said by whoever follows
                self.failure = error
                break
        self.left.set()

    @property
    def holder(self) -> str:
        """Who else is at work on this node, if anybody is."""
        who = lock.holder(settings.NODE)
        mine = not self.thread.is_alive() or who == f"pctl (pid {os.getpid()})"
        return "" if mine or not here(self.node) else who

    def wait(self, seconds: float) -> None:
        """Until something may have happened: at the latest after so many seconds."""
        if self.thread.is_alive():
            self.left.wait(seconds)
        else:
            Event().wait(seconds)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it leave in order. Runners and containers go on without us."""
        self.left.set()
        if self.thread.is_alive():
            if error is not None:
                self.worker.stop()
            self.thread.join()
