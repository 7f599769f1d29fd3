"""Whether snapshots can be relied on: looked at beside the worker's turns, for it takes long."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from containers.models import Inquiry, Snapshot
from containers.node.checkpoint.verdict import Verdict, verify
from containers.node.conf import NodeConf
from containers.node.spool import Nudge


class Verdicts:
    """One is looked at at a time. It asks no database; rows are written by the worker's turn."""

    def __init__(self, conf: NodeConf) -> None:
        self.conf = conf
        self.threads = ThreadPoolExecutor(1, "verdicts")
        self.asked: dict[int, Future[Verdict]] = {}

    def close(self) -> None:
        self.threads.shutdown(cancel_futures=True)

    def of(self, inquiry: Inquiry) -> dict[str, Any] | None:
        """None while it is looked at; the doorbell rings when it is done."""
        if inquiry.pk not in self.asked:
            self.ask(inquiry)
        future = self.asked[inquiry.pk]
        if not future.done():
            return None
        del self.asked[inquiry.pk]
        verdict = future.result()
        for snapshot in Snapshot.objects.filter(uuid=inquiry.args["snapshot"]):
            verdict = snapshot.looked_at(verdict)
        return verdict.words()

    def ask(self, inquiry: Inquiry) -> None:
        snapshot = Snapshot.objects.filter(uuid=inquiry.args["snapshot"]).first()
        future = self.threads.submit(
            verify,
            self.conf,
            inquiry.ctid or 0,
            inquiry.args["snapshot"],
            manifest=snapshot.manifest if snapshot else None,
        )
        self.asked[inquiry.pk] = future
        future.add_done_callback(lambda done: Nudge(self.conf.doorbell, "verdict")())
