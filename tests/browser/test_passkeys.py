"""Passkeys with Chromium's own authenticator, a virtual one, over the protocol of its tools."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from containers.models import Container, Passkey
from tests.browser.conftest import Open
from tests.browser.server import Panel

Plug = Callable[[Page], None]


@pytest.fixture
def plug() -> Plug:
    """The same phone, in whichever window it is held."""
    phones: list[tuple[Any, str]] = []

    def plug(page: Page) -> None:
        tools = page.context.new_cdp_session(page)
        tools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        phone = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        number = phone["authenticatorId"]
        for before, theirs in phones[-1:]:
            kept = before.send("WebAuthn.getCredentials", {"authenticatorId": theirs})
            for credential in kept["credentials"]:
                tools.send(
                    "WebAuthn.addCredential", {"authenticatorId": number, "credential": credential}
                )
        phones.append((tools, number))

    return plug


@pytest.fixture
def here(panel: Panel) -> str:
    """Browsers have no passkeys for a bare address."""
    return f"http://localhost:{panel.port}"


def sign_in(page: Page, here: str, plug: Plug) -> None:
    page.goto(f"{here}/login/")
    plug(page)
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill("bob's own")
    page.get_by_role("button", name="Sign in", exact=True).click()


def add(page: Page, here: str, name: str = "phone") -> None:
    expect(page.get_by_role("heading", name="Containers")).to_be_visible()
    page.goto(f"{here}/account/")
    page.get_by_role("link", name="Add or remove passkeys").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_somebody_adds_a_passkey_and_signs_in_with_nothing_else(
    page_of: Open, bob: User, ct101: Container, here: str, plug: Plug
) -> None:
    page = page_of(None)
    sign_in(page, here, plug)
    add(page, here)
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("cell", name="phone")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Containers")).to_be_visible()
    assert Passkey.objects.get().used


def test_it_is_asked_for_after_the_password_and_to_confirm(
    page_of: Open, bob: User, ct101: Container, here: str, plug: Plug
) -> None:
    page = page_of(None)
    sign_in(page, here, plug)
    add(page, here)
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    another = page_of(None)
    sign_in(another, here, plug)
    expect(another.get_by_role("heading", name="Second factor")).to_be_visible()
    another.get_by_role("button", name="Use a passkey").click()
    expect(another.get_by_role("heading", name="Containers")).to_be_visible()
    session = bob.sessions.latest("began").session_key
    forget(session)
    another.goto(f"{here}/account/passkeys/")
    expect(another.get_by_role("heading", name="Confirm who you are")).to_be_visible()
    another.get_by_role("button", name="Use a passkey").click()
    another.get_by_role("button", name="Remove phone").click()
    expect(another.get_by_text("The passkey phone is removed.")).to_be_visible()
    assert not Passkey.objects.exists()


def forget(session_key: str) -> None:
    """When it last confirmed who is there."""
    session = SessionStore(session_key)
    session["confirmed"] = 0
    session.save()


def test_whoever_has_none_here_is_told_so(page_of: Open, bob: User, here: str, plug: Plug) -> None:
    page = page_of(None)
    page.goto(f"{here}/login/")
    plug(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("or there is no passkey here")).to_be_visible()
    assert page_of(None).get_by_role("button", name="Sign in with a passkey").count() == 0
