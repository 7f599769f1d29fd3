"""The worker beside one operation: its runner is started, heard, ended when asked, and replaced."""

import contextlib
import logging
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from containers.models import Operation
from containers.node.conf import NodeConf
from containers.node.errors import Cancelled, NoSpace, OperationError, Problem, cause_of
from containers.node.spool import Spool
from containers.node.states import Progress
from containers.worker.request import request_of
from containers.worker.runners import Runners
from containers.worker.shipment import Shipment

logger = logging.getLogger(__name__)
TRIES = 5  # at recovering an operation, before a human has to look
FIRST_RETRY = 0.5  # seconds before the second try; doubled before each further one


@dataclass
class Supervision:
    shipment: Shipment
    runners: Runners
    runner: int | None = None  # pidfd of the process that was started last
    handed: bool = False
    tries: int = 0
    not_before: float = 0.0

    @classmethod
    def of(cls, conf: NodeConf, operation: Operation, runners: Runners) -> "Supervision":
        """Of an operation that was just claimed, or of one that an earlier worker has left."""
        spool = Spool(conf.spool / f"{operation.pk}")
        if of_another_database(spool, operation):
            shutil.rmtree(spool.path)
        supervision = cls(Shipment.of(operation, spool), runners)
        if pid := spool.pid():
            supervision.watch(pid)
        supervision.handed = pid is not None or spool.events.exists()
        return supervision

    @property
    def operation(self) -> Operation:
        return self.shipment.operation

    @property
    def spool(self) -> Spool:
        return self.shipment.spool

    def attend(self) -> bool:
        """Do what is due. True when there is more already. Raises Outdone, DatabaseError."""
        alive = self.alive()  # asked first: what it wrote before its end is then seen as well
        more = self.shipment.ship()
        if not (alive or more or self.shipment.over) and time.monotonic() >= self.not_before:
            if self.handed:
                self.recover()
            else:
                self.hand_over()
        return more

    def alive(self) -> bool:
        return self.spool.alive() or (self.runner is not None and living(self.runner))

    def hand_over(self) -> None:
        operation = self.operation
        if self.tries:  # else it was read a moment ago
            operation.refresh_from_db(fields=["state"])
        if operation.state == Progress.CANCELLING:
            operation.end(Progress.CANCELLED, **Cancelled(Problem.CANCELLED_EARLY).record)
            self.shipment.over = True
            return
        try:
            self.spool.write_request(request_of(operation))
            self.watch(self.runners.run(operation.pk))
            self.handed = True
            self.spool.keep_request()  # while its runner gets ready
        except (OSError, OperationError) as error:
            self.fail(error, Problem.NOT_BEGUN)

    def recover(self) -> None:
        if self.tries:
            logger.warning("recovering %s once more", self.operation)
        try:
            if self.tries < TRIES:
                self.watch(self.runners.recover(self.operation.pk))
                self.postpone()
                return
            self.spool.require_room()
            raise OperationError(Problem.RECOVERIES_ENDED)
        except (OSError, OperationError) as error:
            begun = any(event["ev"] == "began" for event in self.spool.read_events()[0])
            no_room = isinstance(error, NoSpace) and not begun
            self.fail(error, Problem.NOT_BEGUN if no_room else Problem.NOT_TIDIED)

    def fail(self, error: Exception, problem: Problem) -> None:
        """Try again later; at last give up, for nothing stays under way for ever."""
        logger.warning("%s: %s", self.operation, error)
        self.postpone()
        if self.tries > TRIES:
            failure = OperationError(problem, cause=cause_of(error))
            self.operation.end(Progress.INTERRUPTED, code=failure.code, **failure.record)
            self.shipment.over = True

    def postpone(self) -> None:
        self.tries += 1
        self.not_before = time.monotonic() + FIRST_RETRY * 2**self.tries

    def cancel(self) -> None:
        """End the running step, once: a second signal would end the undo step that runs then."""
        asked = self.spool.path / "cancelled"
        pid = self.spool.pid()
        if pid is None or asked.exists():
            return
        with contextlib.suppress(ProcessLookupError), pidfd(pid) as runner:
            if self.spool.pid() == pid:
                asked.touch()
                signal.pidfd_send_signal(runner, signal.SIGTERM)

    def watch(self, pid: int) -> None:
        self.forget()
        with contextlib.suppress(ProcessLookupError):
            self.runner = os.pidfd_open(pid)

    def forget(self) -> None:
        if self.runner is not None:
            os.close(self.runner)
        self.runner = None


def of_another_database(spool: Spool, operation: Operation) -> bool:
    """Whether a spool was left by an operation of the same number that is in no row any more."""
    try:
        asked = spool.read_request().get("asked")
    except (OSError, ValueError):
        return False
    mine = operation.requested.isoformat()
    return asked not in (None, mine) and not spool.alive()


@contextlib.contextmanager
def pidfd(pid: int) -> Iterator[int]:
    fd = os.pidfd_open(pid)
    try:
        yield fd
    finally:
        os.close(fd)


def living(fd: int) -> bool:
    return not select.select([fd], [], [], 0)[0]
