"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = {"system": "same as the system", "light": "light", "dark": "dark"}

# The places of the menu: name of the URL, what its pages' names begin with, word, icon, staff only.
MENU = (
    ("containers", ("container", "new_container", "settings", "password", "request"),
     "Containers", "box", False),
    ("operations", ("operation",), "Operations", "pulse", False),
    ("scripts", ("script", "global_", "versions"), "Global scripts", "script", True),
    ("templates", ("template",), "Templates", "layers", True),
    ("nodes", ("node",), "Nodes", "server", True),
    ("people", ("person", "new_person", "password_link"), "People", "people", True),
    ("audit", ("audit",), "Audit", "shield", True),
)  # fmt: skip


def panel(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    return {
        "support": settings.SUPPORT,
        "csp_nonce": getattr(request, "csp_nonce", ""),  # under htmx's name for it
        "theme": theme if theme in THEMES else "system",
        "themes": THEMES,
        "menu": menu(request),
    }


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    here = (request.resolver_match and request.resolver_match.url_name) or ""
    here = "container" if request.path.startswith("/containers/") else here
    return [
        {"url": url, "word": word, "icon": icon, "staff": staff,
         "here": here == url or here.startswith(others)}
        for url, others, word, icon, staff in MENU
    ]  # fmt: skip
