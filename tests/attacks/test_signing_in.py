"""Attacks on the door for people: guessing, shutting others out, and what is on record of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import now

from containers.models import AuditEvent, Knock
from containers.models.knock import LONGEST, SLOWEST

OWN = "bob's own"


def sign_in(name: str, password: str, address: str = "192.0.2.1", **headers: str) -> Any:
    client = Client(REMOTE_ADDR=address, **headers)  # type: ignore[arg-type]
    return client.post("/login/", {"username": name, "password": password})


def passed(seconds: float) -> None:
    """Let that much time go by."""
    for field in ("last", "held", "signed_in"):
        for row in Knock.objects.exclude(**{field: None}):
            Knock.objects.filter(pk=row.pk).update(
                **{field: getattr(row, field) - timedelta(seconds=seconds)}
            )


def audit() -> list[tuple[str, str]]:
    return [(event.name, event.what) for event in AuditEvent.objects.order_by("pk")]


def test_a_stranger_guesses_a_password_as_fast_as_they_can(bob: User) -> None:
    looked_at = 0
    for _ in range(40):
        looked_at += sign_in("bob", "a guess").status_code == 200
    assert 3 <= looked_at <= 6  # more only where 40 requests take many seconds


def test_a_stranger_goes_on_guessing_for_an_hour(bob: User) -> None:
    looked_at = 0
    for _ in range(3600):
        row = Knock.objects.filter(name="bob").first()
        if row is None or not row.wait():
            looked_at += sign_in("bob", "a guess").status_code == 200
        passed(1)
    assert looked_at < 20
    assert Knock.objects.get().wait() <= LONGEST


def test_a_stranger_shuts_bob_out_by_guessing_at_his_name(bob: User) -> None:
    """From hundreds of addresses; bob signs in from where he did before, and from a new place."""
    assert sign_in("bob", OWN).status_code == 302
    for n in range(200):
        assert sign_in("bob", "a guess", f"198.51.100.{n}").status_code in (200, 429)
    assert sign_in("bob", OWN).status_code == 302
    away = sign_in("bob", OWN, "203.0.113.9")
    assert away.status_code == 429
    assert int(away["Retry-After"]) <= SLOWEST
    for n in range(50):
        sign_in("bob", "a guess", f"198.51.100.{n}")
    passed(SLOWEST)
    for n in range(50, 90):
        sign_in("bob", "a guess", f"198.51.100.{n}")
    assert sign_in("bob", OWN, "203.0.113.9").status_code == 302


def test_a_stranger_tries_one_password_with_many_names(db: None) -> None:
    found = [sign_in(f"name{n}", "Summer2026!").status_code for n in range(60)]
    assert 30 <= found.count(200) <= 33


def test_a_stranger_has_a_whole_ipv6_network_to_guess_from(bob: User) -> None:
    found = [sign_in("bob", "a guess", f"2001:db8::{n:x}").status_code for n in range(20)]
    assert 3 <= found.count(200) <= 5


def test_many_guesses_at_once_all_pass_before_one_is_counted(bob: User) -> None:
    """Each is counted when it comes, not when it turns out to be wrong."""
    waits = [Knock.at("bob", "192.0.2.1")[1] for _ in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert all(waits[3:])


def test_the_right_password_makes_good_what_went_before(bob: User) -> None:
    for _ in range(2):
        sign_in("bob", "a guess")
    assert sign_in("bob", OWN).status_code == 302
    assert Knock.objects.get().failures == 0


def test_a_name_in_other_letters_is_the_same_name(bob: User) -> None:
    for name in ("bob", "BOB", "Bob"):
        sign_in(name, "a guess")
    assert sign_in("bOb", "a guess").status_code == 429


def test_guesses_are_on_record_and_what_was_typed_is_not(bob: User) -> None:
    sign_in("bob", "secret guess")
    sign_in("my password, by mistake", "x")
    for _ in range(8):
        sign_in("bob", "secret guess")
    assert audit() == [
        ("bob", "failed to sign in"),
        ("an unknown user name", "failed to sign in"),
        ("bob", "failed to sign in"),
        ("bob", "failed to sign in"),
        ("bob", "had to wait 1 s to sign in"),
    ]
    assert {f"{event.address}" for event in AuditEvent.objects.all()} == {"192.0.2.1"}


def test_who_was_given_more_rights_is_on_record_in_words(bob: User, as_alice: Client) -> None:
    form = {"username": "bob", "is_active": "1", "is_staff": "1"}
    as_alice.post(reverse("person", args=[bob.pk]), form)
    as_alice.post(reverse("person", args=[bob.pk]), {"username": "bob", "is_staff": "1"})
    assert audit() == [("alice", "change bob: is staff"), ("alice", "change bob: may not sign in")]


def test_a_link_that_somebody_else_opens_is_on_record(bob: User, client: Client) -> None:
    uid = urlsafe_base64_encode(force_bytes(bob.pk))
    link = reverse("set_password", args=[uid, default_token_generator.make_token(bob)])
    page = client.get(link)
    form = {"new_password1": "a horse, of course", "new_password2": "a horse, of course"}
    client.post(page["Location"], form)
    assert client.get(link, follow=True).status_code == 200  # it is no longer good
    assert audit() == [
        ("bob", "open a set-password link"),
        ("bob", "set a password through a link"),
    ]


def test_old_attempts_are_forgotten(bob: User) -> None:
    sign_in("carol", "x", "192.0.2.9")
    passed(2 * 24 * 3600)
    sign_in("bob", OWN)
    assert [row.name for row in Knock.objects.all()] == ["bob"]
    assert Knock.objects.get().signed_in <= now()  # type: ignore[operator]


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\u2028", ""])
def test_an_absurd_name_is_no_error(name: str, db: None) -> None:
    assert sign_in(name, "x").status_code == 200
