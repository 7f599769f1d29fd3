"""Whoever starts runners for the worker: the zygote, and a new one when it is lost."""

import logging
from collections.abc import Callable
from typing import Protocol

from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.zygote import Zygote

logger = logging.getLogger(__name__)


class Starter(Protocol):
    """Each forks a process and returns its pid; raises OperationError when it can't."""

    def run(self, operation: int) -> int: ...
    def recover(self, operation: int) -> int: ...
    def adopt(self, ctid: int) -> int: ...
    def close(self) -> None: ...


class Runners:
    def __init__(self, conf: NodeConf, start: Callable[[NodeConf], Starter] = Zygote.start) -> None:
        self.conf, self.start = conf, start
        self.starter: Starter | None = None

    def run(self, operation: int) -> int:
        return self.ask(lambda starter: starter.run(operation))

    def recover(self, operation: int) -> int:
        return self.ask(lambda starter: starter.recover(operation))

    def adopt(self, ctid: int) -> int:
        return self.ask(lambda starter: starter.adopt(ctid))

    def ask(self, wish: Callable[[Starter], int]) -> int:
        self.starter = self.starter or self.start(self.conf)
        try:
            return wish(self.starter)
        except OperationError:
            logger.warning("the zygote was lost; here is a new one")
            self.close()
            self.starter = self.start(self.conf)
            return wish(self.starter)

    def close(self) -> None:
        if self.starter:
            self.starter.close()
        self.starter = None
