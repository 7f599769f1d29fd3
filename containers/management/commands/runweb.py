"""The web process: Daphne, which tells its websockets goodbye before it goes."""

import asyncio
import logging
from typing import Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings
from django.core.management.base import BaseCommand
from twisted.internet.defer import Deferred

from containers import doorbell
from containers.consumers.socket import Close

LARGEST = 128 * 1024  # bytes of a websocket's message, whichever way it goes
LAST_REQUESTS = 1.5  # seconds that requests under way may take when the server goes


class WebServer(Server):
    """Daphne that closes sockets by itself.

    Daphne's own way out cancels what serves them; on Python 3.11 that crashes the process.
    """

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        host, number = self.listening_addresses[-1]
        print(f"The panel answers at {host} port {number}.", flush=True)

    def kill_all_applications(self) -> Deferred[Any]:
        """Called by the reactor before it stops; it waits for what this returns."""
        return Deferred.fromFuture(asyncio.ensure_future(self.leave()))

    async def leave(self) -> None:
        for protocol in list(self.connections):
            if getattr(protocol, "state", None) == getattr(protocol, "STATE_OPEN", self):
                protocol.serverClose(code=int(Close.RESTART))
        serving = [details.get("application_instance") for details in self.connections.values()]
        tasks = [task for task in serving if task and not task.done()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_REQUESTS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class Command(BaseCommand):
    help = "Serve the panel's pages and websockets on PANEL_HTTP."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("daphne").setLevel(logging.WARNING)
        application = get_default_application()  # not before Django is set up
        proxied = {
            "proxy_forwarded_address_header": "X-Forwarded-For",
            "proxy_forwarded_port_header": "X-Forwarded-Port",
            "proxy_forwarded_proto_header": "X-Forwarded-Proto",
        }
        server = WebServer(
            application,
            endpoints=build_endpoint_description_strings(
                host=settings.HTTP_HOST.strip("[]") or "0.0.0.0",  # noqa: S104 (":8000": everywhere)
                port=int(settings.HTTP_PORT),
            ),
            ready_callable=found_a_home,
            server_name="panel",
            websocket_max_message_size=LARGEST,
            websocket_max_frame_size=LARGEST,
            **(proxied if settings.SECURE else {}),
        )
        server.run()


def found_a_home() -> None:
    """Rings of views, which run in threads, go through the server's own connections."""
    doorbell.ringing_loop = asyncio.get_event_loop()
