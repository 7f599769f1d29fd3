"""A browser that was left alone: whatever is gone for good asks again who somebody is."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from pytest_django import Settings

from containers.kind import KINDS
from containers.models import Container, Inquiry, Operation, Snapshot
from containers.node.states import State
from tests.attacks.test_second_factor import stale

UUID = "11111111-2222-3333-4444-555555555555"
UNTIL = {"keep_until": "2099-01-01T00:00:00+00:00"}
GONE: dict[str, tuple[dict[str, Any], ...]] = {  # the params with which something is
    "destroy": ({}, {"replace_scripts": True}),
    "delete_snapshot": ({},),
    "delete_replaced": ({},),
    "reinstall": ({"skipbackup": True},),
    "restore": ({}, {"disk_only": True}),
    "start": ({"discard": True},),
}
STAYS: dict[str, tuple[dict[str, Any], ...]] = {
    "reinstall": ({}, UNTIL, {"skipbackup": True, **UNTIL}),
    "restore": ({"safety": UUID},),
    "start": ({}, {"skip_remount": True}),
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_says_itself_whether_something_is_gone_for_good(name: str) -> None:
    kind = KINDS[name]
    assert all(kind.erases(params) for params in GONE.get(name, ()))
    assert not any(kind.erases(params) for params in STAYS.get(name, ({},) if name not in GONE
                                                           else ()))  # fmt: skip


@pytest.fixture
def snapshot(ct101: Container) -> Snapshot:
    return ct101.snapshots.create(uuid=UUID, size=1)


def refused(client: Client, path: str, **form: str) -> None:
    stale(client)
    assert client.post(path, form).status_code == 403
    assert not Operation.objects.exists()


def does(client: Client, path: str, password: str = "", **form: str) -> str:
    stale(client)
    proof = {"password_again": password} if password else {}
    assert client.post(path, {**form, **proof}).status_code == 302
    return Operation.objects.get().kind


def test_a_snapshot_is_deleted(snapshot: Snapshot, as_bob: Client) -> None:
    path = reverse("snapshot_deletion", args=[101, UUID])
    refused(as_bob, path)
    assert does(as_bob, path, "bob's own") == "delete_snapshot"


@pytest.mark.parametrize("safety", [None, "", "false", "False", "0"])
def test_it_is_restored_without_a_safety_snapshot(
    snapshot: Snapshot, as_bob: Client, safety: str | None
) -> None:
    path = reverse("restoration", args=[101, UUID])
    form = {} if safety is None else {"safety": safety}
    if safety == "0":  # which the form takes for a tick, as it does any other word
        assert does(as_bob, path, **form) == "restore"
        assert Operation.objects.get().params["safety"]
        return
    refused(as_bob, path, **form)
    assert does(as_bob, path, "bob's own", **form) == "restore"
    assert "safety" not in Operation.objects.get().params


def test_with_one_nobody_is_asked(snapshot: Snapshot, as_bob: Client) -> None:
    assert does(as_bob, reverse("restoration", args=[101, UUID]), safety="on") == "restore"


def test_its_saved_processes_are_thrown_away(ct101: Container, as_bob: Client) -> None:
    Container.objects.update(state=State.SUSPENDED)
    path = "/containers/101/operations/"
    refused(as_bob, path, kind="start", discard="on")
    assert does(as_bob, path, "bob's own", kind="start", discard="on") == "start"


PATH = "/containers/101/reinstallation/"


CONFIRM = {"step": "confirm", "confirmation": "web1"}


def chosen(client: Client, container: Container, keep: str) -> None:
    template = container.template
    assert template
    client.post(PATH, {"step": "system", "template": template.pk})
    client.post(PATH, {"step": "access", "access": "generate", "keep": keep})
    client.get(PATH, {"step": "review"})
    answer_inquiries()
    stale(client)


def answer_inquiries() -> None:
    """As the node would, but for what nobody looks at here."""
    Inquiry.objects.update(answered=now(), error="it is not there")


@pytest.mark.parametrize("keep", ["old", "aside", "nothing"])
def test_a_system_is_replaced_and_nothing_of_it_kept(
    ct101: Container, as_bob: Client, keep: str
) -> None:
    chosen(as_bob, ct101, keep)
    answer = as_bob.post(PATH, CONFIRM)
    if keep == "nothing":
        assert answer.status_code == 403
        assert "Confirm who you are" in answer.content.decode()
        assert not Operation.objects.exists()
        answer = as_bob.post(PATH, {**CONFIRM, "password_again": "bob's own"})
    operation = Operation.objects.get()
    assert operation.kind == "reinstall"
    assert answer["Location"] == operation.get_absolute_url()
    shown = as_bob.get(operation.get_absolute_url()).content.decode()
    assert "It is shown only once" in shown  # the one made up before


def test_it_was_to_be_kept_for_an_undo_that_is_off_meanwhile(
    ct101: Container, as_bob: Client, settings: Settings
) -> None:
    chosen(as_bob, ct101, "aside")
    settings.UNDO_DAYS = 0
    assert as_bob.post(PATH, CONFIRM).status_code == 403
    assert not Operation.objects.exists()


def test_a_mistyped_name_is_said_before_the_question(ct101: Container, as_bob: Client) -> None:
    chosen(as_bob, ct101, "nothing")
    assert as_bob.post(PATH, {**CONFIRM, "confirmation": "web2"}).status_code == 422
