"""The node's process: hears the doorbell, and works in a thread beside it."""

import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from channels.layers import get_channel_layer
from channels.worker import Worker as ChannelsWorker
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection

from containers import doorbell, outage
from containers.consumers import NodeConsumer
from containers.models import Node
from containers.node.errors import Locked
from containers.outage import Outage
from containers.worker import Worker, lock

logger = logging.getLogger(__name__)
RETRY = 0.5, 30.0  # seconds before a lost channel layer is tried again: at first, at most
DATABASE_OUT = 2  # seconds before a database that can't be used is tried again
BRIEFLY = 0.3  # seconds: somebody may just be looking who holds the place
SWITCH = 0.0005  # seconds the worker may wait for the bell's thread, which is not urgent
PCTL_AT_WORK = 3600.0  # seconds to wait for a pctl that is at work in our place


class Command(BaseCommand):
    help = "Carry out the operations queued for this node. Containers keep running when it ends."

    def handle(self, *args: Any, **options: Any) -> None:
        node = this_node()
        patience = PCTL_AT_WORK if lock.holder(settings.NODE).startswith("pctl") else BRIEFLY
        worker = Worker(settings.NODE, node, patience=patience)
        sys.setswitchinterval(SWITCH)
        try:
            asyncio.run(attend(worker))
        except Locked as e:
            raise CommandError(f"{e} A node has one worker.", returncode=e.code) from e


def this_node() -> Node:
    """Its row, as soon as the database can be used. Raises CommandError."""
    none = f"There is no node {settings.NODE.name}: run prepare first."
    while True:
        try:
            return Node.objects.get(name=settings.NODE.name)
        except Node.DoesNotExist as error:
            raise CommandError(none) from error
        except Error as error:
            found = outage.of(error)
            if found is Outage.EMPTY:
                raise CommandError(none) from error
            if found is None or found is Outage.DAMAGED:
                raise CommandError(f"{found.sentence if found else error}") from error
            logger.warning("%s Trying again in %d s: %s", found.sentence, DATABASE_OUT, error)
            connection.close()
            time.sleep(DATABASE_OUT)


async def attend(worker: Worker) -> None:
    loop = asyncio.get_running_loop()
    doorbell.ringing_loop = loop
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    hearing = asyncio.create_task(Bell(worker.node.name).arun())
    working = asyncio.create_task(asyncio.to_thread(worker.run))
    leaving = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        worker.stop()
        await asyncio.wait({working})
        doorbell.ringing_loop = None
        for task in (hearing, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    if not asked.is_set():
        working.result()


class Bell(ChannelsWorker):
    """A Channels worker on node.<name> that outlives its channel layer."""

    def __init__(self, node: str) -> None:
        channel = doorbell.node_channel(node)
        super().__init__(NodeConsumer.as_asgi(), [channel], get_channel_layer())

    async def listener(self, channel: str) -> None:
        delay, longest = RETRY
        while True:
            try:
                await super().listener(channel)
            except Exception as error:
                logger.warning(
                    "the doorbell is broken, trying it again in %.1f s: %s", delay, error
                )
                with suppress(Exception):
                    await self.channel_layer.flush()  # else it believes that it listens already
            await asyncio.sleep(delay)
            delay = min(delay * 2, longest)
