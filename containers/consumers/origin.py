"""Websockets are for our own pages: a browser would send our cookies along for any page's."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator
from django.conf import settings
from django.http.request import validate_host


class OwnOrigin:
    """Lets in the origins of the settings, and the one the page itself was asked for under.

    Full origins: a service on another port of our host is a stranger, too. The second rule is
    for a forwarded port (ssh -L 9000:…), of which the settings know nothing.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.told = OriginValidator(application, settings.ORIGINS)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin1") for name, value in scope.get("headers", [])}
        if own(headers.get(b"origin", ""), headers.get(b"host", "")):
            return await self.application(scope, receive, send)
        return await self.told(scope, receive, send)


def own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    return (
        bool(host)
        and parts.netloc == host
        and parts.scheme == settings.SCHEME
        and validate_host(f"[{name}]" if ":" in name else name, settings.ALLOWED_HOSTS)
    )
