"""The three doors: http to Django, websockets to logs and news, doorbells to a node's worker."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
django = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import SessionMiddlewareStack  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from containers.consumers import (  # noqa: E402
    LogConsumer,
    NewsConsumer,
    NodeConsumer,
    OwnOrigin,
    nobody,
)
from containers.gate import Door  # noqa: E402

websockets = URLRouter(
    [
        path("ws/operations/<int:pk>/log", LogConsumer.as_asgi()),  # type: ignore[arg-type]
        path("ws/news", NewsConsumer.as_asgi()),  # type: ignore[arg-type]
        re_path("", nobody),  # type: ignore[arg-type]
    ]
)
application = ProtocolTypeRouter(
    {
        "http": Door(django),
        "websocket": Door(OwnOrigin(SessionMiddlewareStack(websockets))),
        "channel": NodeConsumer.as_asgi(),
    }
)
