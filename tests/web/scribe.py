"""A double of the zygote: a spool is only files, and a test can write those by hand."""

import subprocess

from containers.models import Operation
from containers.node.conf import NodeConf
from containers.node.spool import Nudge, Spool, Writer
from containers.worker import Worker


class Scribe:
    """Stands in for the zygote: its runners do nothing, and a test writes their spools by hand."""

    def __init__(self, conf: NodeConf) -> None:
        self.conf = conf
        self.asked: list[tuple[str, int]] = []
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def run(self, operation: int) -> int:
        return self.fork("run", operation)

    def recover(self, operation: int) -> int:
        return self.fork("recover", operation)

    def adopt(self, ctid: int) -> int:
        return self.fork("adopt", ctid)

    def fork(self, what: str, number: int) -> int:
        self.asked.append((what, number))
        self.kill(number)
        self.processes[number] = subprocess.Popen(["/bin/sleep", "600"])
        return self.processes[number].pid

    def kill(self, number: int) -> None:
        if process := self.processes.pop(number, None):
            process.kill()
            process.wait()

    def bury(self) -> None:
        for number in list(self.processes):
            self.kill(number)

    def close(self) -> None:
        pass

    def writer(self, operation: Operation) -> Writer:
        spool = Spool(self.conf.spool / f"{operation.pk}")
        return Writer(spool, Nudge(self.conf.doorbell, f"{operation.pk}"))


def settle(worker: Worker) -> None:
    """Turn until there is nothing left to do."""
    worker.ticked = 0.0
    worker.turn()
    while worker.due or worker.kicked:
        worker.turn()
