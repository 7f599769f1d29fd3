"""Attacks by whoever has the password, or a browser that was left alone for a while."""

import re
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django_otp import devices_for_user
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from containers.models import AuditEvent, Container, Knock, Node, UserSession, second_factor
from tests.web.sockets import Browse
from tests.web.typist import Typist

FACTOR, CODE = "/account/second-factor/", "/login/code/"


def code_of(user: User, steps: int = 0) -> str:
    """What the app shows; steps: that many times 30 seconds later."""
    device: Any = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + steps * 30
    return f"{totp.token():06d}"


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def stale(client: Client) -> None:
    """Nobody has confirmed anything in this browser for a while."""
    session = client.session
    session["confirmed"] = time.time() - 601
    session.save()


@pytest.fixture
def codes(bob: User, as_bob: Client) -> list[str]:
    """Bob's recovery codes: he has set a second factor up."""
    assert "data:image/svg" in as_bob.get(FACTOR).content.decode()
    page = as_bob.post(FACTOR, {"do": "enrol", "code": code_of(bob)})
    return re.findall(r"\b[2-9a-hjkmnp-z]{10}\b", page.content.decode().partition('id="codes"')[2])


def sign_in(password: str = "bob's own") -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/login/", {"username": "bob", "password": password})


def test_a_password_alone_opens_an_account_with_a_second_factor(
    bob: User, codes: list[str]
) -> None:
    assert len(codes) == 10
    client, answer = sign_in()
    assert answer["Location"] == CODE
    assert client.get("/containers/")["Location"].startswith("/login/")
    assert client.post(CODE, {"code": "000000"}).status_code == 422
    assert client.get("/containers/")["Location"].startswith("/login/")
    assert "wait some seconds" in text(client.post(CODE, {"code": code_of(bob, 1)}))
    for device in devices_for_user(bob):
        device.throttle_reset()
    entered = client.post(CODE, {"code": code_of(bob, 1)})
    assert entered["Location"] == "/containers/"
    assert client.get("/containers/").status_code == 200


def test_a_code_that_was_seen_over_a_shoulder_is_used_again(bob: User, codes: list[str]) -> None:
    seen = code_of(bob, 1)
    first, _ = sign_in()
    assert first.post(CODE, {"code": seen}).status_code == 302
    second, _ = sign_in()
    assert second.post(CODE, {"code": seen}).status_code == 422


def test_a_recovery_code_signs_in_once(bob: User, codes: list[str]) -> None:
    client, _ = sign_in()
    spaced = f" {codes[0][:5].upper()} {codes[0][5:]} "
    assert client.post(CODE, {"code": spaced}).status_code == 302
    assert second_factor.codes_left(bob) == 9
    again, _ = sign_in()
    assert again.post(CODE, {"code": codes[0]}).status_code == 422
    assert AuditEvent.objects.filter(what="sign in with a recovery code (9 left)").exists()


def test_a_stranger_with_the_password_guesses_codes(bob: User, codes: list[str]) -> None:
    tried = 0
    for _ in range(30):
        client, answer = sign_in()
        if answer.status_code == 302:
            tried += "not right" in text(client.post(CODE, {"code": "000000"}))
    assert 1 <= tried <= 4
    assert Knock.objects.get().failures >= 1
    assert AuditEvent.objects.filter(what="gave a wrong code of the second factor").exists()


def test_the_code_is_given_to_a_password_that_was_changed_meanwhile(
    bob: User, codes: list[str]
) -> None:
    client, _ = sign_in()
    bob.set_password("another horse")
    bob.save()
    assert client.post(CODE, {"code": code_of(bob, 1)})["Location"] == "/login/"


def test_setting_it_up_signs_out_whoever_else_was_in(bob: User, as_bob: Client) -> None:
    thief = Client()
    thief.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert thief.get("/containers/").status_code == 200
    as_bob.get(FACTOR)
    as_bob.post(FACTOR, {"do": "enrol", "code": code_of(bob)})
    assert thief.get("/containers/").status_code == 302
    assert as_bob.get("/containers/").status_code == 200


def test_a_browser_left_alone_cannot_set_it_up_or_take_it_away(
    bob: User, as_bob: Client, codes: list[str]
) -> None:
    stale(as_bob)
    assert as_bob.get(FACTOR).status_code == 403
    for do in ("remove", "codes"):
        assert as_bob.post(FACTOR, {"do": do}).status_code == 403
    assert second_factor.of(bob)
    assert (
        as_bob.post(FACTOR, {"kept_get": "1", "password_again": "bob's own"})["Location"] == FACTOR
    )
    assert as_bob.get(FACTOR).status_code == 200
    assert as_bob.post(FACTOR, {"do": "remove"}).status_code == 302
    assert not second_factor.of(bob)


def test_staff_without_one_see_nothing_where_it_is_required(
    settings: Settings, alice: User, as_alice: Client, as_bob: Client
) -> None:
    settings.STAFF_2FA = True
    for path in ("/containers/", "/people/", "/audit/", "/account/"):
        assert as_alice.get(path)["Location"] == FACTOR
    assert as_bob.get("/containers/").status_code == 200
    assert "Staff have to have a second factor here." in text(as_alice.get(FACTOR))
    as_alice.post(FACTOR, {"do": "enrol", "code": code_of(alice)})
    assert as_alice.get("/people/").status_code == 200
    assert as_alice.post(FACTOR, {"do": "remove"}).status_code == 403


@pytest.mark.django_db(transaction=True)
async def test_staff_without_one_get_no_websocket_either(
    settings: Settings, browse: Browse, as_alice: Client, alice: User
) -> None:
    settings.STAFF_2FA = True
    browser = await browse(as_alice, "/ws/news")
    await browser.read()
    assert browser.code == 4401

    def enrol() -> None:
        as_alice.get(FACTOR)
        as_alice.post(FACTOR, {"do": "enrol", "code": code_of(alice)})

    await sync_to_async(enrol)()
    await (await browse(as_alice, "/ws/news")).read("tick")


def test_one_of_the_staff_resets_another_and_it_is_on_record(
    bob: User, alice: User, as_alice: Client, codes: list[str]
) -> None:
    reset = reverse("second_factor_reset", args=[bob.pk])
    stale(as_alice)
    assert as_alice.post(reset).status_code == 403
    assert second_factor.of(bob)
    as_alice.post(reset, {"password_again": "alice's own"})
    assert not second_factor.of(bob)
    assert AuditEvent.objects.filter(what="reset the second factor of bob", by=alice).exists()
    assert as_alice.post(reverse("second_factor_reset", args=[alice.pk])).status_code == 403


def test_pctl_resets_it_for_whoever_sits_at_the_node(
    run: Typist, bob: User, codes: list[str]
) -> None:
    assert run("user reset-2fa bob")[0] == 0
    assert not second_factor.of(bob)
    assert AuditEvent.objects.filter(what="reset the second factor of bob", via="pctl").exists()


# Before what can't be taken back


def test_a_browser_left_alone_destroys_a_container(
    ct101: Container, as_alice: Client, alice: User
) -> None:
    stale(as_alice)
    form = {"kind": "destroy", "confirmation": "101", "reason": ""}
    page = as_alice.post("/containers/101/operations/", form)
    assert page.status_code == 403
    assert not ct101.operations.exists()
    kept = dict(
        re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page.content.decode())
    )
    assert kept["kind"] == "destroy"
    assert kept["confirmation"] == "101"
    wrong = as_alice.post("/containers/101/operations/", {**form, "password_again": "a guess"})
    assert wrong.status_code == 422
    assert not ct101.operations.exists()
    right = as_alice.post("/containers/101/operations/", {**form, "password_again": "alice's own"})
    assert right.status_code == 302
    assert ct101.operations.get().kind == "destroy"


def test_what_else_is_done_asks_nobody_again(ct101: Container, as_alice: Client) -> None:
    stale(as_alice)
    assert as_alice.post("/containers/101/operations/", {"kind": "start"}).status_code == 302
    saved = as_alice.post("/containers/101/scripts/start/", {"body": "echo in the container\n"})
    assert saved.status_code == 302


@pytest.mark.parametrize("path", ["/containers/101/scripts/mount/", "/scripts/alpha/mount/"])
def test_a_browser_left_alone_saves_a_script_that_root_runs(
    path: str, ct101: Container, alpha: Node, as_alice: Client
) -> None:
    stale(as_alice)
    body = '#!/bin/sh\n\n# "quoted" & <kept>\n'
    page = as_alice.post(path, {"body": body, "reason": "why"})
    assert page.status_code == 403
    assert "&quot;quoted&quot; &amp; &lt;kept&gt;" in page.content.decode()
    assert as_alice.post(path, {"body": body, "check": "1"}).status_code == 200
    as_alice.post(path, {"body": body, "reason": "why", "password_again": "alice's own"})
    script: Any = (ct101.scripts if "containers" in path else alpha.scripts).get()
    assert bytes(script.current.body).decode() == body


def test_a_script_that_was_uploaded_is_kept_while_its_author_confirms(
    ct101: Container, as_alice: Client
) -> None:
    stale(as_alice)
    path, body = "/containers/101/scripts/mount/", b"#!/bin/sh\n# \xc3\xa4\n"
    page = as_alice.post(path, {"body": "", "upload": SimpleUploadedFile("mount.sh", body)})
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode()))
    kept.pop("csrfmiddlewaretoken", None)
    as_alice.post(path, {**kept, "password_again": "alice's own"})
    assert bytes(ct101.scripts.get().current.body) == body  # type: ignore[union-attr]


def test_guesses_at_that_question_are_counted_like_those_at_the_door(
    ct101: Container, as_alice: Client
) -> None:
    stale(as_alice)
    form = {"kind": "destroy", "confirmation": "101", "password_again": "a guess"}
    said = [text(as_alice.post("/containers/101/operations/", form)) for _ in range(5)]
    assert "That is not right." in said[2]
    assert "Too many wrong passwords. Wait 1 seconds." in said[4]


def test_an_old_session_is_found_and_ended(bob: User, as_bob: Client, as_alice: Client) -> None:
    thief = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Firefox/130.0",
                   REMOTE_ADDR="203.0.113.7")  # fmt: skip
    thief.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    thief.get("/containers/")
    page = text(as_bob.get("/account/"))
    assert "Firefox on Windows" in page
    assert "203.0.113.7" in page
    pk = UserSession.objects.get(address="203.0.113.7").pk
    as_alice.post("/account/sessions/", {"session": pk})  # not hers to end
    assert thief.get("/containers/").status_code == 200
    as_bob.post("/account/sessions/", {"session": pk})
    assert thief.get("/containers/").status_code == 302
    assert as_bob.get("/containers/").status_code == 200


def test_everything_else_is_signed_out_at_once(bob: User, as_bob: Client) -> None:
    others = [Client() for _ in range(3)]
    for other in others:
        other.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
        other.get("/containers/")
    as_bob.get("/containers/")
    as_bob.post("/account/sessions/", {"others": "1"})
    assert [other.get("/containers/").status_code for other in others] == [302] * 3
    assert as_bob.get("/containers/").status_code == 200
    assert AuditEvent.objects.filter(what="sign out everywhere else (3)", by=bob).exists()
