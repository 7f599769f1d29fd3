"""What has to be in the audit, whoever did it: a deed a line, and the words it leaves behind."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp import devices_for_user
from pytest_django import Settings

from containers.commands import pctl
from containers.forms.second_factor import ConfirmForm
from containers.models import AuditEvent, Container
from containers.node.conf import NodeConf
from tests.attacks.test_second_factor import CODE, FACTOR, code_of, sign_in, stale
from tests.web.typist import typist

pytestmark = pytest.mark.django_db(transaction=True)
HISTORY = "/containers/101/operations/"
NEW = {"new_password1": "a horse, of course", "new_password2": "a horse, of course"}


class Place:
    """Alice, who is staff, and bob, whose container is CT 101, in their browsers."""

    def __init__(self, alice: Client, bob: Client, person: User, code: Callable[[str], Any]):
        self.alice, self.bob, self.person, self.pctl = alice, bob, person, code

    def guess(self, times: int = 1) -> None:
        for _ in range(times):
            sign_in("a guess")

    def confirm(self, password: str, times: int = 1) -> None:
        for _ in range(times):
            stale(self.alice)
            form = {"kind": "destroy", "confirmation": "101", ConfirmForm.FIELD: password}
            self.alice.post(HISTORY, form)

    def change_password(self, old: str, times: int = 1) -> None:
        for _ in range(times):
            self.bob.post("/account/", {"old_password": old, **NEW})

    def person_form(self, **fields: str) -> Any:
        form = {"username": "bob", "is_active": "1", **fields}
        self.alice.post(reverse("person", args=[self.person.pk]), form)

    def link(self) -> str:
        uid = urlsafe_base64_encode(force_bytes(self.person.pk))
        token = default_token_generator.make_token(self.person)
        return reverse("set_password", args=[uid, token])

    def use_link(self) -> None:
        client = Client()
        client.post(client.get(self.link())["Location"], NEW)

    def enrol(self) -> list[str]:
        self.bob.get(FACTOR)
        self.bob.post(FACTOR, {"do": "enrol", "code": code_of(self.person)})
        return second_factor_codes(self.person)

    def give(self, code: str, times: int = 1) -> Any:
        client, _ = sign_in()
        for _ in range(times):
            for device in devices_for_user(self.person):
                device.throttle_reset()
            client.post(CODE, {"code": code})

    def settings(self, **fields: str) -> None:
        form = dict(self.alice.get("/containers/101/settings/").context["form"].initial)
        form = {name: value for name, value in form.items() if value not in (None, "", False)}
        self.alice.post("/containers/101/settings/", {**form, **fields})


def second_factor_codes(user: User) -> list[str]:
    from django_otp.plugins.otp_static.models import StaticToken

    return list(StaticToken.objects.filter(device__user=user).values_list("token", flat=True))


@pytest.fixture
def place(
    as_alice: Client,
    as_bob: Client,
    bob: User,
    ct101: Container,
    node_conf: NodeConf,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> Place:
    settings.NODE, settings.WEB = node_conf, node_conf.state
    return Place(as_alice, as_bob, bob, typist(pctl.main, capfd))


Deed = Callable[[Place], object]
RECORD: dict[str, tuple[Deed, str, str]] = {
    # signing in
    "a sign-in": (lambda p: sign_in(), "bob", "sign in"),
    "a wrong password": (lambda p: p.guess(), "bob", "failed to sign in"),
    "a wait for the password": (lambda p: p.guess(8), "bob", "had to wait N s to sign in"),
    "a code": (lambda p: (p.enrol(), p.give(code_of(p.person, 1))), "bob",
               "sign in with a second factor"),
    "a wrong code": (lambda p: (p.enrol(), p.give("000000")), "bob",
                     "gave a wrong code of the second factor"),
    "a wait for the code": (lambda p: (p.enrol(), p.give("000000", 8)), "bob",
                            "had to wait N s to give a code"),
    "a sign-out": (lambda p: p.bob.post("/logout/"), "bob", "sign out"),
    "other browsers": (lambda p: (sign_in(), p.bob.post("/account/sessions/", {"others": "1"})),
                       "bob", "sign out everywhere else"),
    # who somebody is, asked again
    "a confirmation": (lambda p: p.confirm("alice's own"), "alice", "confirm who they are"),
    "a wrong confirmation": (lambda p: p.confirm("x"), "alice", "failed to confirm who they are"),
    "a wait to confirm": (lambda p: p.confirm("x", 8), "alice",
                          "had to wait N s to confirm who they are"),
    # secrets
    "a recovery code": (lambda p: p.give(p.enrol()[0]), "bob",
                        "sign in with a recovery code (9 left)"),
    "new recovery codes": (lambda p: (p.enrol(), p.bob.post(FACTOR, {"do": "codes"})), "bob",
                           "make new recovery codes"),
    "a second factor": (lambda p: p.enrol(), "bob", "set up a second factor"),
    "its removal": (lambda p: (p.enrol(), p.bob.post(FACTOR, {"do": "remove"})), "bob",
                    "remove their second factor"),
    "its reset": (
        lambda p: (p.enrol(), p.alice.post(reverse("second_factor_reset", args=[p.person.pk]))),
        "alice", "reset the second factor of bob"),
    "its reset with pctl": (lambda p: (p.enrol(), p.pctl("user reset-2fa bob")), "",
                            "reset the second factor of bob"),
    "an own password": (lambda p: p.change_password("bob's own"), "bob",
                        "change their own password"),
    "a wrong own password": (lambda p: p.change_password("x"), "bob",
                             "gave a wrong password when changing it"),
    "a wait for the own password": (lambda p: p.change_password("x", 8), "bob",
                                    "had to wait N s to change their password"),
    "a link that is made": (
        lambda p: p.alice.post(reverse("password_link", args=[p.person.pk])),
        "alice", "make a set-password link for bob"),
    "a link that pctl makes": (lambda p: p.pctl("user password bob"), "",
                               "make a set-password link for bob"),
    "a link that is opened": (lambda p: Client().get(p.link()), "bob",
                              "open a set-password link"),
    "a link that is used": (lambda p: p.use_link(), "bob", "set a password through a link"),
    "root's password": (
        lambda p: p.bob.post("/containers/101/password/", {"password_choice": "generate"}),
        "bob", "set root's password in CT 101"),
    # who may do what
    "a new staff member": (lambda p: p.pctl("user create dora --staff"), "",
                           "add the staff member dora"),
    "more rights": (lambda p: p.person_form(is_staff="1"), "alice", "change bob: is staff"),
    "fewer rights": (lambda p: (p.person_form(is_staff="1"), p.person_form()), "alice",
                     "change bob: is a customer"),
    "no more sign-ins": (lambda p: p.person_form(is_active=""), "alice",
                         "change bob: may not sign in"),
    "no more sign-ins with pctl": (lambda p: p.pctl("user disable bob"), "", "disable bob"),
    "another owner": (lambda p: p.settings(owner=f"{User.objects.get(username='alice').pk}"),
                      "alice", "change CT 101: owner, which is now alice's"),
    "another owner with pctl": (lambda p: p.pctl("set 101 --owner alice"), "",
                                "change CT 101: owner"),
    "another owner, and a limit": (lambda p: p.pctl("set 101 --owner alice --ram 512M"), "",
                                   "change CT 101: owner"),
    # commands
    "a command in the browser": (
        lambda p: (Container.objects.update(state="running"),
                   p.alice.post(HISTORY, {"kind": "exec", "command": "id"})),
        "alice", "run in CT 101: id"),
}  # fmt: skip


@pytest.mark.parametrize("deed", RECORD)
def test_it_is_on_record(deed: str, place: Place) -> None:
    do, whose, words = RECORD[deed]
    do(place)
    found = [
        (event.name, re.sub(r"wait \d+ s", "wait N s", event.what))
        for event in AuditEvent.objects.order_by("pk")
    ]
    assert any(name == whose and what.startswith(words) for name, what in found), found


@pytest.mark.parametrize("deed", RECORD)
def test_no_secret_is_on_record(deed: str, place: Place) -> None:
    do, _, _ = RECORD[deed]
    do(place)
    rows = "".join(f"{vars(event)}" for event in AuditEvent.objects.all())
    secrets = ["a guess", "bob's own", "alice's own", "a horse", "000000"]
    assert not [each for each in (*secrets, *second_factor_codes(place.person)) if each in rows]


@pytest.mark.parametrize("deed", ["root's password", "another owner", "a command in the browser"])
def test_what_concerns_a_container_is_shown_to_its_owner(deed: str, place: Place) -> None:
    do, _, words = RECORD[deed]
    do(place)
    Container.objects.update(owner=place.person)
    assert words in place.bob.get(HISTORY).content.decode().replace("&#x27;", "'")
