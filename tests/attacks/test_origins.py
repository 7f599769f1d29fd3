"""Attacks by a page of another port, scheme or name: a browser sends our cookies along for it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as of_panel
from django.test import Client
from pytest_django import Settings

from containers.models import Container
from containers.node.conf import CHECKOUT
from tests.web.sockets import Browser

STRANGERS = (
    "https://localhost",  # another server of the same name, behind TLS
    "http://localhost:9999",
    "https://localhost:8000",
    "http://localhost",
    "http://127.0.0.1:9999",
    "http://elsewhere.example",
    "null",
)


@pytest.fixture
def own_names(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_of_another_port_or_scheme_posts_a_form(
    origin: str, own_names: None, ct101: Container, as_bob: Client
) -> None:
    client = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:8000")
    client.cookies.update(as_bob.cookies)
    client.get("/containers/101/")
    token = client.cookies[of_panel.CSRF_COOKIE_NAME].value  # ports share cookies: it can be read
    form = {"kind": "start", "csrfmiddlewaretoken": token}
    answer = client.post("/containers/101/operations/", form, headers={"origin": origin})
    assert answer.status_code == 403
    assert not ct101.operations.exists()
    own = {"origin": "http://localhost:8000"}
    assert client.post("/containers/101/operations/", form, headers=own).status_code == 302


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.django_db(transaction=True)
async def test_a_page_of_another_port_or_scheme_opens_a_websocket(
    origin: str, own_names: None, as_bob: Client
) -> None:
    browser = Browser(as_bob, "/ws/news", origin=origin.encode())
    assert (await browser.connect())[0] is False


def settings_of(**env: str) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("PANEL_")},
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        **{f"PANEL_{name}": value for name, value in env.items()},
    }


def python(code: str, **env: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=settings_of(**env), cwd=CHECKOUT,
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout.strip()


ORIGINS = "from panel import settings; print(' '.join(sorted(settings.ORIGINS)))"


def test_only_the_panels_own_origins_are_trusted() -> None:
    plain = python(ORIGINS, HTTP="127.0.0.1:8000")
    assert plain == "http://127.0.0.1:8000 http://[::1]:8000 http://localhost:8000"
    secure = python(ORIGINS, SECURE="1", ALLOWED_HOSTS="panel.example.com, .wild.example")
    assert "https://panel.example.com" in secure
    assert "http://" not in secure
    assert "wild" not in secure


def test_djangos_own_check_for_the_internet_finds_nothing(tmp_path: object) -> None:
    (key := CHECKOUT.__class__(f"{tmp_path}") / "web").mkdir()
    (key / "secret.key").write_text("x7" * 40 + "abcdefgh")
    env = settings_of(SECURE="1", ALLOWED_HOSTS="panel.example.com", STATE_DIR=f"{tmp_path}")
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(argv, env=env, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
