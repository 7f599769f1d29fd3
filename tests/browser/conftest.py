"""A real panel in a real Chromium: runweb and Redis as processes, on the rows of the test."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import Settings

from containers import doorbell
from containers.models import Container, Node, Operation, Template
from containers.node.states import State
from tests.browser.server import CHECKOUT, DESKTOP, SHOWN_WITHIN, Panel, wait_for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker of pytest-xdist has the browser and the server."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Playwright's loop runs in the tests' thread; rows are read and written there all the same.

    It ends with the tests of this folder: others have loops of their own.
    """
    path = shutil.which("chromium")
    if not path:
        pytest.skip("chromium is missing: apt-get install chromium")
    if not (CHECKOUT / "static/dist/panel.js").exists():
        pytest.skip("the front end is not built: make setup")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=SHOWN_WITHIN * 1000)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def redis() -> Iterator[str]:
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("redis-server is missing: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="panel-redis-") as folder:
        path = f"{folder}/redis.sock"
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: os.path.exists(path), lambda: "Redis does not start")
        yield f"unix://{path}"
        server.terminate()
        server.wait(SHOWN_WITHIN)


@pytest.fixture(scope="package")
def web(redis: str, django_db_setup: None) -> Iterator[Panel]:
    """The server, on the database that the tests write to."""
    with tempfile.TemporaryDirectory(prefix="panel-browser-") as folder:
        state = Path(folder)
        (state / "web").mkdir()
        (state / "web" / "panel.sqlite3").symlink_to(f"{connection.settings_dict['NAME']}")
        (state / "web" / "secret.key").write_text("only for tests")
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        environ = {key: value for key, value in os.environ.items() if key[:6] != "PANEL_"}
        environ |= {
            "DJANGO_SETTINGS_MODULE": "panel.settings",
            "PANEL_STATE_DIR": folder,
            "PANEL_NODE": "alpha",
            "PANEL_RUNTIME": "dry-run",
            "PANEL_REDIS_URL": redis,
            "PANEL_HTTP": f"127.0.0.1:{port}",
            "PANEL_STATIC_ROOT": f"{state / 'static'}",
            "PANEL_SUPPORT": "support@hosting.example",
        }
        panel = Panel(state, redis, port, environ=environ)
        subprocess.run(
            panel.manage("collectstatic", "--noinput", "--verbosity", "0"),
            env=environ, cwd=CHECKOUT, check=True,
        )  # fmt: skip
        try:
            panel.start()
            yield panel
        finally:
            panel.stop()


@pytest.fixture
def panel(web: Panel, chromium: Browser, transactional_db: None, settings: Settings) -> Panel:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    settings.SESSION_COOKIE_NAME = f"panel-{web.instance}"
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": web.redis, "socket_timeout": None}],
                "prefix": f"panel-{web.instance}",
            },
        }
    }
    return web


@pytest.fixture
def ring() -> Callable[..., None]:
    """Ring the pages from a thread of its own: this one has Playwright's loop."""

    def ring(**what: Any) -> None:
        thread = threading.Thread(target=doorbell.ring_pages, kwargs=what)
        thread.start()
        thread.join()

    return ring


@pytest.fixture
def alice(panel: Panel) -> User:
    return User.objects.create_user("alice", password="alice's own", is_staff=True)


@pytest.fixture
def bob(panel: Panel) -> User:
    return User.objects.create_user("bob", password="bob's own")


@pytest.fixture
def alpha(panel: Panel) -> Node:
    return Node.objects.create(
        name="alpha", runtime="dry-run", storage="directory", pool="10.99.0.0/24"
    )


@pytest.fixture
def debian(alpha: Node) -> Template:
    return Template.objects.create(
        node=alpha,
        name="debian-12",
        version=1,
        init="systemd",
        created="2026-01-02T03:04:05Z",
        offered=True,
    )


@pytest.fixture
def ct101(alpha: Node, debian: Template, bob: User) -> Container:
    return Container.objects.create(
        ctid=101, node=alpha, template=debian, owner=bob, hostname="web1", state=State.STOPPED
    )


@pytest.fixture
def running(ct101: Container, bob: User) -> Operation:
    """A start of CT 101 that is under way."""
    operation = ct101.request("start", by=bob)
    Operation.objects.filter(pk=operation.pk).update(state="running")
    operation.refresh_from_db()
    return operation


Open = Callable[..., Page]
# What a connection that is lost leads to, or a page that is left while htmx fetches a part of it
GONE = ("WebSocket", "ERR_CONNECTION", "Failed to load", "htmx:sendError", "htmx:afterRequest")


@pytest.fixture
def page_of(chromium: Browser, panel: Panel) -> Iterator[Open]:
    """A window somebody has signed in with. What its console complains of fails the test."""
    contexts, complaints = [], []

    def open(user: User | None, path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(base_url=panel.url, **{"viewport": DESKTOP, **options})
        contexts.append(context)
        context.set_default_timeout(SHOWN_WITHIN * 1000)
        if user:
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            cookie = client.cookies[f"panel-{panel.instance}"]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": panel.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{error}"))
        page.on("console", lambda said: note(said.type, said.text))
        page.goto(path)
        return page

    def note(kind: str, text: str) -> None:
        gone = any(word in text for word in GONE)
        if kind in ("error", "warning") and not gone:
            complaints.append(text)

    yield open
    for context in contexts:
        context.close()
    assert not complaints
