"""What goes over the channel layer: doorbells, and nothing else.

The rows are the truth. A ring that is lost or repeated costs a moment, never a byte; a
broken bell is no reason for anything to fail.
"""

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)
RING = {"type": "rung"}

# A process that rings from a thread of its own says here which loop holds the connections:
# a loop made for one ring would open a connection for it, too.
home: asyncio.AbstractEventLoop | None = None


def node_channel(name: str) -> str:
    return f"node.{name}"


def operation_group(pk: int) -> str:
    return f"operation.{pk}"


EVERYTHING = "news"  # whoever has a page open


def ring_node(name: str) -> None:
    """Tell a node's worker that there is something to do."""
    ring("send", node_channel(name))


def ring_viewers(operation: int) -> None:
    """Tell whoever watches an operation that it has grown."""
    ring("group_send", operation_group(operation))


def ring_pages(**what: Any) -> None:
    """Tell open pages that something changed: ctid=, node=, operation=, templates= …"""
    ring("group_send", EVERYTHING, {"type": "news", **what})


def ring(how: str, whom: str, message: dict[str, Any] = RING) -> None:
    layer: Any = get_channel_layer()
    try:
        if home and home.is_running():
            asyncio.run_coroutine_threadsafe(quietly(getattr(layer, how)(whom, message)), home)
        else:
            async_to_sync(getattr(layer, how))(whom, message)
    except Exception:
        logger.warning("nobody heard the bell of %s", whom, exc_info=True)


async def quietly(ringing: Any) -> None:
    try:
        await ringing
    except Exception:
        logger.warning("nobody heard a bell", exc_info=True)
