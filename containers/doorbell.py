"""What goes over the channel layer: doorbells, and nothing else.

The rows are the truth. A ring that is lost or repeated costs a moment, never a byte; a
broken bell is no reason for anything to fail.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any, NoReturn

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from containers.node.spool import Nudge

logger = logging.getLogger(__name__)
RING = {"type": "rung"}
EVERYTHING = "news"  # whoever has a page open
QUIET = 30.0  # seconds between two complaints about a broken bell
RETRY = 1.0  # seconds before a broken bell is tried again

# A process that rings from a thread of its own says here which loop holds the connections:
# a loop made for one ring would open a connection for it, too.
ringing_loop: asyncio.AbstractEventLoop | None = None
ringing: set[str] = set()  # rings on their way: one that would be the same is not needed
complained = -QUIET


def node_channel(name: str) -> str:
    return f"node.{name}"


def operation_group(pk: int) -> str:
    return f"operation.{pk}"


def ring_node(name: str) -> None:
    """Tell a node's worker that there is something to do."""
    # On this machine itself, which is some milliseconds quicker.
    if not (name == settings.NODE.name and Nudge(settings.NODE.doorbell, "kick")()):
        ring("send", node_channel(name))


def ring_viewers(operation: int) -> None:
    """Tell whoever watches an operation that it has grown."""
    ring("group_send", operation_group(operation))


def ring_pages(*, owner: int | None = None, everybody: bool = False, **what: Any) -> None:
    """Tell open pages what changed: ctid=, node=, operation=, templates= …

    Staff hear of everything, a customer of what is theirs (owner: a user's pk) or everybody's.
    """
    news = {"type": "news", "owner": owner, "everybody": everybody, "what": what}
    ring("group_send", EVERYTHING, news)


def ring(how: str, whom: str, message: dict[str, Any] = RING) -> None:
    layer: Any = get_channel_layer()
    if not (ringing_loop and ringing_loop.is_running()):
        try:
            async_to_sync(getattr(layer, how))(whom, message)
        except Exception as error:
            complain(whom, error)
        return
    key = f"{how} {whom} {json.dumps(message)}"
    if key not in ringing:
        ringing.add(key)
        asyncio.run_coroutine_threadsafe(ring_in_loop(key, layer, how, whom, message), ringing_loop)


async def ring_in_loop(key: str, layer: Any, how: str, whom: str, message: dict[str, Any]) -> None:
    ringing.discard(key)  # what happens from now on deserves a ring of its own
    try:
        await getattr(layer, how)(whom, message)
    except Exception as error:
        complain(whom, error)


def complain(whom: str, error: Exception) -> None:
    """In a process that stays, and now and then. A command may well run before there is a bell."""
    global complained
    if ringing_loop and time.monotonic() - complained > QUIET:
        complained = time.monotonic()
        logger.warning("nobody hears the bell of %s (%s); the rows are right", whom, error)


@contextlib.contextmanager
def own_loop() -> Iterator[None]:
    """A loop in a thread, for a process without one that rings more than once."""
    global ringing_loop
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="doorbell", daemon=True)
    thread.start()
    ringing_loop = loop
    try:
        yield
    finally:
        ringing_loop = None
        asyncio.run_coroutine_threadsafe(arrive(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def arrive() -> None:
    """Let the rings on their way arrive; the layer hangs up when the loop is closed."""
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=1)


async def hear(group: str, heard: Callable[[dict[str, Any]], None]) -> NoReturn:
    """Call heard at every ring of a group, and when the bell works (again), for one may be missed.

    Until cancelled; a broken bell is tried again.
    """
    while True:
        layer: Any = get_channel_layer()
        channel = None
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
            heard(RING)
            while True:
                heard(await layer.receive(channel))
        except Exception as error:
            complain(group, error)
            await asyncio.sleep(RETRY)
        finally:
            if channel:
                with contextlib.suppress(Exception):
                    await layer.group_discard(group, channel)
