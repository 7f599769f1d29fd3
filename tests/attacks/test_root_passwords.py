"""Attacks made easy by a weak password of root's, or by one that lies about."""

from typing import Any

import pytest
from django.conf import settings as of_panel
from django.core import signing
from django.test import Client
from pytest_django import Settings

from containers.commands import pctl
from containers.models import Container, Template
from containers.node.errors import BadValue
from tests.attacks.test_second_factor import text
from tests.web.test_forms import creating

WEAK = {
    "a": "This password is too short. It must contain at least 8 characters",
    "password1": "This password is too common",
    "4242424242": "This password is entirely numeric",
}


@pytest.mark.parametrize("password", WEAK)
def test_a_password_that_is_guessed_at_once_is_refused_for_root(
    password: str, ct101: Container, busybox: Template, as_bob: Client
) -> None:
    form = {"password_choice": "type", "password": password}
    page = as_bob.post("/containers/101/password/", form)
    assert page.status_code == 422
    assert WEAK[password] in text(page)
    assert not ct101.operations.exists()
    making = creating(busybox, **form)
    assert WEAK[password] in f"{making.errors['password']}"
    with pytest.raises(BadValue, match=WEAK[password]) as refused:
        pctl.understand(["set", "101", "--userpasswd", f"root:{password}"])
    assert refused.value.code == 74


@pytest.mark.parametrize("password", WEAK)
def test_a_reinstallation_takes_no_weak_password_either(
    password: str, ct101: Container, busybox: Template, as_bob: Client
) -> None:
    path = "/containers/101/reinstallation/"
    as_bob.post(path, {"step": "system", "template": busybox.pk})
    form = {"step": "access", "access": "type", "password": password, "keep": "old"}
    page = as_bob.post(path, form)
    assert page.status_code == 422
    assert WEAK[password] in text(page)


def show_once(client: Client) -> tuple[Any, str, str]:
    """The answer to a request for a generated password, its cookie, and the password."""
    answer: Any = client.post("/containers/101/password/", {"password_choice": "generate"})
    cookie = answer.cookies["once"]
    copy = Client()
    copy.cookies.update(client.cookies)
    return answer, cookie.value, copy.get(answer["Location"]).context["password"]


def test_a_cookie_that_is_read_elsewhere_holds_no_password(
    ct101: Container, as_bob: Client
) -> None:
    _, cookie, password = show_once(as_bob)
    assert len(password) == 16
    assert password not in cookie
    with pytest.raises(signing.BadSignature):
        signing.loads(cookie, salt="once")


def test_a_database_that_is_read_elsewhere_holds_no_password(
    ct101: Container, as_bob: Client
) -> None:
    answer: Any = as_bob.post("/containers/101/password/", {"password_choice": "generate"})
    kept = f"{dict(as_bob.session)}"
    cookie = as_bob.cookies.pop("once")
    assert "sealed" in kept
    assert not as_bob.get(answer["Location"]).context["password"]  # the row alone opens nothing
    as_bob.cookies["once"] = cookie.value
    password = as_bob.get(answer["Location"]).context["password"]
    assert password
    assert password not in kept
    assert "sealed" not in f"{dict(as_bob.session).get('sealed')}"
    assert not as_bob.get(answer["Location"]).context["password"]  # once


def test_a_cookie_of_anothers_browser_shows_nothing(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    answer: Any = as_bob.post("/containers/101/password/", {"password_choice": "generate"})
    as_alice.cookies["once"] = as_bob.cookies["once"].value
    assert not as_alice.get(answer["Location"]).context["password"]


def test_cookies_go_over_https_alone_where_the_panel_is_behind_tls(
    settings: Settings, ct101: Container, as_bob: Client
) -> None:
    settings.SECURE = True
    answer: Any = as_bob.post("/containers/101/password/", {"password_choice": "generate"})
    assert answer.cookies["once"]["secure"]
    assert answer.cookies["once"]["httponly"]
    theme = as_bob.post("/account/theme/", {"theme": "dark"})
    assert theme.cookies["theme"]["secure"]
    assert of_panel.SESSION_COOKIE_SECURE is of_panel.CSRF_COOKIE_SECURE
