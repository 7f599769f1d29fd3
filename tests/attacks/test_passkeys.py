"""Attacks on passkeys: answers to another question, of another page, of another key, said twice."""

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from containers.models import AuditEvent, Container, Passkey, second_factor
from tests.attacks.authenticator import Authenticator
from tests.web.typist import Typist

PAGE, ASK, ENTER = "/account/passkeys/", "/login/passkey/challenge/", "/login/passkey/"
ABROAD = {"HTTP_HOST": "panel.example", "secure": True}


def browser() -> Client:
    return Client(headers={"user-agent": "Firefox"})


def post(client: Client, path: str, **form: str) -> Any:
    return client.post(path, form, secure=True)


def asked(client: Client, purpose: str) -> Any:
    answer = post(client, ASK, purpose=purpose)
    assert answer.status_code == 200
    return answer.json()


def add(client: Client, key: Authenticator, name: str = "laptop") -> Any:
    return post(client, PAGE, name=name, passkey=key.make(asked(client, "new")))


def enter(client: Client, key: Authenticator, purpose: str = "alone") -> Any:
    return post(client, ENTER, purpose=purpose, passkey=key.sign(asked(client, purpose)))


def is_in(client: Client) -> bool:
    return bool(client.get("/containers/", secure=True).status_code == 200)


def said(what: str) -> bool:
    return AuditEvent.objects.filter(what=what).exists()


@pytest.fixture
def key(bob: User, as_bob: Client) -> Authenticator:
    """Bob's passkey."""
    key = Authenticator()
    assert "recovery codes" in add(as_bob, key).content.decode()
    return key


def test_a_passkey_signs_in_alone_and_counts_as_second_factor(
    key: Authenticator, bob: User
) -> None:
    client = browser()
    assert enter(client, key)["Location"] == "/containers/"
    assert is_in(client)
    assert client.session["otp_device_id"] == Passkey.objects.get().persistent_id
    assert said("add the passkey laptop")
    assert said("sign in with the passkey laptop")
    assert Passkey.objects.get().used
    assert Passkey.objects.get().transports == ["usb"]


def test_the_password_alone_no_longer_opens_the_account(key: Authenticator) -> None:
    client = browser()
    assert post(client, "/login/", username="bob", password="bob's own")["Location"].endswith(
        "/login/code/"
    )
    assert not is_in(client)
    key.verifies = False  # a key that is only touched will do after the password
    options = asked(client, "second")
    assert [each["id"] for each in options["allowCredentials"]]
    assert post(client, ENTER, purpose="second", passkey=key.sign(options)).status_code == 302
    assert is_in(client)


def test_a_recovery_code_opens_it_when_the_passkey_is_lost(as_bob: Client, bob: User) -> None:
    page = add(as_bob, Authenticator()).content.decode()
    codes = re.findall(r"\b[2-9a-hjkmnp-z]{10}\b", page.partition('id="codes"')[2])
    client = browser()
    post(client, "/login/", username="bob", password="bob's own")
    post(client, "/login/code/", code=codes[0])
    assert is_in(client)


def test_a_key_that_was_only_found_opens_nothing(key: Authenticator) -> None:
    key.verifies = False
    client = browser()
    assert enter(client, key)["Location"] == "/login/"
    assert not is_in(client)
    assert said("was refused with the passkey laptop")


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver"},
        {"origin": "https://testserver:8443"},
        {"rp_id": "evil.example"},
        {"key": Authenticator().key},
    ],
)
def test_an_answer_of_another_page_or_key(key: Authenticator, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(key, name, value)
    client = browser()
    assert enter(client, key)["Location"] == "/login/"
    assert not is_in(client)


def test_a_page_under_another_name_of_the_panel(key: Authenticator, settings: Settings) -> None:
    """Even with a signature for that name: a passkey is for the name it was made under."""
    settings.ALLOWED_HOSTS = ["panel.example", "testserver"]
    key.origin, key.rp_id = "https://panel.example", "panel.example"
    client = browser()
    options = client.post(ASK, {"purpose": "alone"}, **ABROAD).json()  # type: ignore[arg-type]
    assert options["rpId"] == "panel.example"
    form = {"purpose": "alone", "passkey": key.sign(options)}
    assert client.post(ENTER, form, **ABROAD)["Location"] == "/login/"  # type: ignore[arg-type]
    strange = client.post(ASK, {"purpose": "alone"}, HTTP_HOST="evil.example", secure=True)
    assert strange.status_code == 400


def test_an_answer_is_sent_twice(key: Authenticator, bob: User) -> None:
    client = browser()
    key.count = -1  # one that does not count, so that nothing else tells
    options = asked(client, "alone")
    answer = key.sign(options)
    kept = dict(client.session.items())
    assert post(client, ENTER, purpose="alone", passkey=answer)["Location"] == "/containers/"
    again = browser()
    assert post(again, ENTER, purpose="alone", passkey=answer)["Location"] == "/login/"
    asked(again, "alone")
    session = again.session
    session.update(kept)  # as if the first answer had come at the same moment
    session.save()
    assert post(again, ENTER, purpose="alone", passkey=answer)["Location"] == "/login/"
    assert not is_in(again)


@pytest.mark.parametrize("late", [False, True])
def test_a_challenge_of_another_session_or_of_before(key: Authenticator, late: bool) -> None:
    client, other = browser(), browser()
    options = asked(client, "alone")
    victim = client if late else other
    if late:
        session = client.session
        session["passkey_asked"] = [*session["passkey_asked"][:2], time.time() - 301]
        session.save()
    else:
        asked(other, "alone")
    post(victim, ENTER, purpose="alone", passkey=key.sign(options))
    assert not is_in(victim)


def test_a_challenge_for_one_purpose_is_answered_for_another(
    key: Authenticator, as_bob: Client, bob: User
) -> None:
    stale(as_bob)
    confirm = asked(as_bob, "confirm")
    assert post(as_bob, ASK, purpose="new").status_code == 403
    assert (
        post(as_bob, PAGE, name="thief's", passkey=Authenticator().make(confirm)).status_code == 403
    )
    assert Passkey.objects.count() == 1


def test_a_copy_of_a_key_is_told_by_its_counter(key: Authenticator) -> None:
    key.count = 10
    assert enter(browser(), key)["Location"] == "/containers/"
    copied = (
        "was refused with the passkey laptop: its counter went back, so it may have been copied"
    )
    key.count = 4
    assert enter(browser(), key)["Location"] == "/login/"
    assert said(copied)
    key.count = 50  # and from then on neither of the two is let in
    assert enter(browser(), key)["Location"] == "/login/"
    assert Passkey.objects.get().went_back


def test_a_forged_counter_bars_nobody(key: Authenticator) -> None:
    key.count = 10
    enter(browser(), key)
    right, key.key, key.count = key.key, Authenticator().key, 0
    enter(browser(), key)
    assert not Passkey.objects.get().went_back
    key.key, key.count = right, 20
    assert enter(browser(), key)["Location"] == "/containers/"


def test_somebody_elses_passkey_is_no_second_factor_of_mine(
    key: Authenticator, as_carol: Client, carol: User
) -> None:
    theirs = Authenticator()
    add(as_carol, theirs)
    client = browser()
    post(client, "/login/", username="bob", password="bob's own")
    assert enter(client, theirs, "second")["Location"] == "/login/code/"
    assert not is_in(client)


def test_a_passkey_of_a_disabled_account(key: Authenticator, bob: User) -> None:
    bob.is_active = False
    bob.save()
    client = browser()
    assert enter(client, key)["Location"] == "/login/"


NONSENSE = ("", "1", "[]", "{}", "[" * 9000, '{"a":' * 9000, '{"response": {}}', "1" * 5000,
            '{"id": "x", "rawId": 1, "type": "public-key", "response": {"clientDataJSON": []}}',
            "x" * 40_000)  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_answered(as_bob: Client, nonsense: str) -> None:
    client = browser()
    asked(client, "alone")
    assert post(client, ENTER, purpose="alone", passkey=nonsense).status_code == 302
    asked(as_bob, "new")
    assert post(as_bob, PAGE, name="n", passkey=nonsense).status_code == 422
    assert not Passkey.objects.exists()


def test_guesses_have_to_wait_and_slow_nobody_else_down(key: Authenticator) -> None:
    stranger = Authenticator()
    answers = [enter(browser(), stranger).status_code for _ in range(5)]
    assert answers[-1] == 429
    client = browser()
    options = asked(client, "alone")
    form = {"purpose": "alone", "passkey": key.sign(options)}
    there = client.post(ENTER, form, secure=True, REMOTE_ADDR="198.51.100.9")
    assert there["Location"] == "/containers/"


def stale(client: Client) -> None:
    session = client.session
    session["confirmed"] = time.time() - 601
    session.save()


def test_a_browser_left_alone_adds_or_removes_none(key: Authenticator, as_bob: Client) -> None:
    stale(as_bob)
    assert as_bob.get(PAGE, secure=True).status_code == 403
    number = f"{Passkey.objects.get().pk}"
    assert post(as_bob, PAGE, remove=number).status_code == 403
    assert Passkey.objects.exists()
    answer = key.sign(asked(as_bob, "confirm"))
    post(as_bob, PAGE, remove=number, passkey_again=answer)
    assert not Passkey.objects.exists()
    assert said("remove the passkey laptop")


def test_nobody_removes_somebody_elses(key: Authenticator, as_carol: Client) -> None:
    for number in (f"{Passkey.objects.get().pk}", "9" * 5000, "x"):
        assert post(as_carol, PAGE, remove=number).status_code == 302
    assert Passkey.objects.count() == 1


def test_destroying_is_confirmed_with_a_passkey(
    key: Authenticator, as_alice: Client, alice: User, ct101: Container
) -> None:
    own = Authenticator()
    add(as_alice, own)
    stale(as_alice)
    form = {"kind": "destroy", "confirmation": "101"}
    path = "/containers/101/operations/"
    assert post(as_alice, path, **form).status_code == 403
    bobs = key.sign(asked(as_alice, "confirm"))
    assert post(as_alice, path, **form, passkey_again=bobs).status_code == 422
    assert not ct101.operations.exists()
    answer = own.sign(asked(as_alice, "confirm"))
    assert post(as_alice, path, **form, passkey_again=answer).status_code == 302
    assert ct101.operations.get().kind == "destroy"


def test_it_is_the_second_factor_that_staff_have_to_have(
    settings: Settings, as_alice: Client, alice: User
) -> None:
    settings.STAFF_2FA = True
    assert as_alice.get("/people/", secure=True).status_code == 302
    add(as_alice, Authenticator())
    assert as_alice.get("/people/", secure=True).status_code == 200
    number = f"{Passkey.objects.get().pk}"
    assert post(as_alice, PAGE, remove=number).status_code == 403
    add(as_alice, Authenticator(), "spare")
    assert post(as_alice, PAGE, remove=number).status_code == 302
    assert as_alice.get("/people/", secure=True).status_code == 302  # it was this session's


def test_pctl_resets_passkeys_too(key: Authenticator, bob: User, run: Typist) -> None:
    assert run("user reset-2fa bob")[0] == 0
    assert not second_factor.has(bob)
    assert not second_factor.codes_left(bob)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]:8000", "203.0.113.9:8000"])
def test_where_browsers_have_none_none_are_offered(
    host: str, as_bob: Client, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = as_bob.get(PAGE, HTTP_HOST=host).content.decode()
    assert "only for host names over https" in page
    assert as_bob.post(ASK, {"purpose": "new"}, HTTP_HOST=host).status_code == 400
    assert "data-passkey" not in Client().get("/login/", HTTP_HOST=host).content.decode()
