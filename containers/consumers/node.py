"""A node's end of the doorbell: it only tells the worker to look at the rows."""

from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings

from containers.node.spool import Nudge


class NodeConsumer(AsyncConsumer):
    async def rung(self, message: dict[str, Any]) -> None:
        Nudge(settings.NODE.doorbell, "kick")()
