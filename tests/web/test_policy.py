"""Every address, for everybody, read and written to, against one table."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from containers.kind import KINDS as kind_table
from containers.models import Container, Node, Operation, Template

WHO = ("nobody", "alice", "bob", "carol")  # alice is staff, CT 101 is bob's, carol has nothing

# name of the URL: what GET and POST answer nobody, alice, bob, carol.
# 302 for nobody: to the sign-in page. 405: not for that. 404: not theirs to know of.
EVERYBODY = (302, 200, 200, 200)
STAFF = (302, 200, 403, 403)
OWNER = (302, 200, 200, 404)
STAFF_OF_CT = (302, 200, 403, 404)
NO_WRITING = (302, 405, 405, 405)
TABLE: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "home": ((302, 302, 302, 302), NO_WRITING),
    "containers": (EVERYBODY, NO_WRITING),
    "new_container": (STAFF, (302, 422, 403, 403)),
    "container": (OWNER, NO_WRITING),
    "refused_settings": ((302, 405, 405, 405), (302, 302, 302, 404)),  # a host name
    "settings": (OWNER, (302, 422, 422, 404)),
    "password": (OWNER, (302, 422, 422, 404)),
    "reinstallation": (OWNER, (302, 400, 400, 404)),  # 400: no step was given
    "replaced": (OWNER, (302, 409, 409, 404)),  # 409: a start is under way
    "requests": (OWNER, (302, 404, 404, 404)),  # 404: no kind was given
    "snapshots": (OWNER, (302, 409, 409, 404)),  # 409: a start is under way
    "snapshot": (OWNER, NO_WRITING),
    "restoration": (OWNER, (302, 409, 409, 404)),
    "snapshot_deletion": (OWNER, (302, 409, 409, 404)),
    "verification": ((302, 405, 405, 405), (302, 302, 302, 404)),
    "trial": ((302, 405, 405, 405), (302, 302, 302, 404)),
    "protection": ((302, 405, 405, 405), (302, 302, 403, 404)),
    "schedule": (STAFF_OF_CT, (302, 422, 403, 404)),
    "cloning": (STAFF_OF_CT, (302, 422, 403, 404)),
    "snapshot_template": (STAFF_OF_CT, (302, 422, 403, 404)),
    "request": (STAFF_OF_CT, NO_WRITING),  # of destroy
    "script": (STAFF_OF_CT, (302, 422, 403, 404)),
    "versions": (STAFF_OF_CT, (302, 302, 403, 404)),
    "disable": ((302, 405, 405, 405), (302, 302, 403, 404)),
    "foreign": ((302, 302, 403, 404), (302, 302, 403, 404)),
    "scripts": (STAFF, NO_WRITING),
    "findings": ((302, 405, 405, 405), (302, 200, 403, 403)),
    "publication": ((302, 405, 405, 405), (302, 302, 403, 403)),
    "global_script": (STAFF, (302, 422, 403, 403)),
    "global_versions": (STAFF, (302, 302, 403, 403)),
    "global_disable": ((302, 405, 405, 405), (302, 302, 403, 403)),
    "global_foreign": ((302, 302, 403, 403), (302, 302, 403, 403)),
    "operations": (EVERYBODY, NO_WRITING),
    "operation": (OWNER, NO_WRITING),
    "log": (OWNER, NO_WRITING),
    "log_text": (OWNER, NO_WRITING),
    "download": (OWNER, NO_WRITING),
    "cancel": ((302, 405, 405, 405), (302, 302, 302, 404)),  # bob asked for it himself
    "answer": ((302, 405, 405, 405), (302, 302, 302, 404)),
    "nodes": (STAFF, NO_WRITING),
    "node": (STAFF, (302, 422, 403, 403)),
    "templates": (STAFF, (302, 200, 403, 403)),
    "template": ((302, 405, 405, 405), (302, 302, 403, 403)),
    "people": (STAFF, NO_WRITING),
    "new_person": (STAFF, (302, 422, 403, 403)),
    "person": (STAFF, (302, 422, 403, 403)),
    "password_link": ((302, 405, 405, 405), (302, 200, 403, 403)),
    "set_password": ((302, 302, 302, 302), (302, 302, 302, 302)),
    "audit": (STAFF, NO_WRITING),
    "sign_in_code": ((302, 302, 302, 302), (302, 302, 302, 302)),
    "sessions": ((302, 405, 405, 405), (302, 302, 302, 302)),
    "passkeys": (EVERYBODY, (302, 422, 422, 422)),
    "passkey_challenge": ((405, 405, 405, 405), (400, 400, 400, 400)),
    "passkey_sign_in": ((405, 405, 405, 405), (302, 302, 302, 302)),
    "second_factor": (EVERYBODY, (302, 200, 200, 200)),
    "second_factor_reset": ((302, 405, 405, 405), (302, 302, 403, 403)),
    "login": ((200, 302, 302, 302), (200, 302, 302, 302)),
    "logout": ((302, 405, 405, 405), (302, 302, 302, 302)),
    "account": (EVERYBODY, (302, 422, 422, 422)),
    "theme": ((405, 405, 405, 405), (302, 302, 302, 302)),
    "health": ((200, 200, 200, 200), (405, 405, 405, 405)),
}
OF_CT = ("container", "settings", "password", "requests", "reinstallation", "snapshots", "schedule")
OF_SNAPSHOT = (
    "snapshot", "restoration", "snapshot_deletion", "verification", "trial", "protection",
    "cloning", "snapshot_template",
)  # fmt: skip
UUID = "11111111-2222-3333-4444-555555555555"


def names() -> list[str]:
    return sorted({f"{name}" for name in get_resolver().reverse_dict if isinstance(name, str)})


def test_no_address_is_missing_in_the_table() -> None:
    assert names() == sorted(TABLE)


@pytest.fixture
def addresses(
    ct101: Container,
    operation: Operation,
    busybox: Template,
    bob: User,
    alpha: Node,
    as_bob: Client,
) -> dict[str, str]:
    ct101.scripts.create(name="mount").write(b"#!/bin/sh\n", by=None)
    alpha.scripts.create(name="mount").write(b"#!/bin/sh\n", by=None)
    ct101.replaced_systems.create(
        number=1, since="2026-01-02T03:04:05Z", until="2099-01-02T03:04:05Z"
    )
    ct101.snapshots.create(uuid=UUID)
    refused = Operation.objects.create(
        container=ct101, ctid=101, node=alpha, kind="set", state="failed",
        params={"settings": {"hostname": "web2"}},
    )  # fmt: skip
    token = default_token_generator.make_token(bob)
    of_script, of_global = (101, "mount"), ("alpha", "mount")
    arguments: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(OF_CT, (101,)),
        **dict.fromkeys(OF_SNAPSHOT, (101, UUID)),
        "request": (101, "destroy"),
        "replaced": (101, 1),
        "refused_settings": (101, refused.pk),
        **dict.fromkeys(("script", "versions", "disable", "foreign"), of_script),
        **dict.fromkeys(("global_script", "global_versions", "global_disable"), of_global),
        "global_foreign": of_global,
        "publication": ("alpha",),
        "node": ("alpha",),
        "template": (busybox.pk,),
        **dict.fromkeys(
            ("operation", "log", "log_text", "download", "cancel", "answer"), (operation.pk,)
        ),
        **dict.fromkeys(("person", "password_link", "second_factor_reset"), (bob.pk,)),
        "set_password": (urlsafe_base64_encode(force_bytes(bob.pk)), token),
    }
    return {name: reverse(name, args=arguments.get(name)) for name in TABLE}


@pytest.fixture
def clients(
    client: Client, as_alice: Client, as_bob: Client, as_carol: Client
) -> dict[str, Client]:
    return dict(zip(WHO, (client, as_alice, as_bob, as_carol), strict=True))


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", sorted(TABLE))
def test_reading_is_answered_as_the_table_says(
    name: str, who: str, addresses: dict[str, str], clients: dict[str, Client]
) -> None:
    expected = TABLE[name][0][WHO.index(who)]
    answer = clients[who].get(addresses[name])
    assert (who, answer.status_code) == (who, expected)
    if who == "nobody" and expected == 302 and name != "set_password":
        assert answer["Location"].startswith("/login/")


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", sorted(TABLE))
def test_writing_is_answered_as_the_table_says(
    name: str, who: str, addresses: dict[str, str], clients: dict[str, Client]
) -> None:
    expected = TABLE[name][1][WHO.index(who)]
    answer = clients[who].post(addresses[name])
    assert (who, answer.status_code) == (who, expected)


KINDS = {  # what bob may do with his own container
    "start": True, "stop": True, "restart": True, "suspend": True, "resume": True,
    "mount": False, "umount": False, "destroy": False, "exec": False,
}  # fmt: skip


def test_no_kind_that_a_form_asks_for_is_missing_in_the_table() -> None:
    asked = {name: kind for name, kind in kind_table.items() if kind.requested_by_form}
    assert {name: kind.permission.owner for name, kind in asked.items()} == KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_customer_may_start_stop_and_restart_and_nothing_else(
    kind: str, ct101: Container, as_bob: Client
) -> None:
    extra = {"confirmation": "101", "command": "id"}
    answer = as_bob.post(reverse("requests", args=[101]), {"kind": kind, **extra})
    assert (answer.status_code in (302, 409)) is KINDS[kind]
    if not KINDS[kind]:
        assert answer.status_code == 403
        assert not ct101.operations.exists()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_somebody_elses_container_is_not_there(
    kind: str, ct101: Container, as_carol: Client
) -> None:
    answer = as_carol.post(reverse("requests", args=[101]), {"kind": kind})
    assert answer.status_code == 404
    assert not ct101.operations.exists()


def test_a_customer_cannot_pass_over_the_stop_script(ct101: Container, as_bob: Client) -> None:
    Container.objects.update(state="running")
    asked = {"kind": "stop", "without_stop_script": "1", "reason": "it hangs"}
    assert as_bob.post(reverse("requests", args=[101]), asked).status_code == 403
    assert not ct101.operations.exists()


def test_a_customer_cannot_change_limits_through_the_settings(
    ct101: Container, as_bob: Client
) -> None:
    answer = as_bob.post(reverse("settings", args=[101]), {"hostname": "web2", "ram": "99999"})
    assert answer.status_code == 302
    ct101.refresh_from_db()
    assert (ct101.hostname, ct101.ram) == ("web1", None)  # its node has not spoken yet
    assert Operation.objects.get().params["settings"] == {"hostname": "web2"}


def test_a_customer_sees_neither_scripts_nor_what_was_said_on_the_node(
    ct101: Container, operation: Operation, as_alice: Client, as_bob: Client
) -> None:
    ct101.scripts.create(name="mount").write(b"#!/bin/sh\n# secret-in-script\n", by=None)
    operation.chunks.create(offset=0, data=b"said-on-the-node\n", staff_only=True)
    operation.chunks.create(offset=17, data=b"said-in-the-container\n")
    Operation.objects.filter(pk=operation.pk).update(log_len=39)
    pages = ["container", "requests"], ["operation", "log", "log_text", "download"]
    addresses = [reverse(name, args=[101]) for name in pages[0]]
    addresses += [reverse(name, args=[operation.pk]) for name in pages[1]]
    shown = "".join(read(as_bob, address) for address in addresses)
    assert "said-in-the-container" in shown
    assert "said-on-the-node" not in shown
    assert "secret-in-script" not in shown
    assert reverse("script", args=[101, "mount"]) not in shown
    assert "said-on-the-node" in read(as_alice, addresses[-1])


def read(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode())


def test_only_who_asked_for_an_operation_and_staff_cancel_it(
    ct101: Container, alice: User, as_bob: Client, as_alice: Client
) -> None:
    operation = ct101.request("start", by=alice)
    address = reverse("cancel", args=[operation.pk])
    assert as_bob.post(address).status_code == 403
    assert as_alice.post(address).status_code == 302
    operation.refresh_from_db()
    assert operation.state == "cancelled"
