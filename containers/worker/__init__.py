"""The node's worker: claim what is queued, hand it to runners, ship what they write into rows."""

from containers.worker.worker import Worker

__all__ = ["Worker"]
