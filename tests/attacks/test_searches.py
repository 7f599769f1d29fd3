"""Attacks through what is typed into a search, and through numbers in addresses and forms."""

import time
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from containers.models import Address, AuditEvent, Container, Node, Operation, Template
from containers.node import veconf
from tests.web.test_policy import TABLE, addresses  # noqa: F401 (a fixture)

LISTS = ("containers", "operations", "people", "audit")
DIGITS = "9" * 5000
HOSTILE = {
    "digits": DIGITS,
    "nul": "a\0b",
    "surrogate": "\udcff",
    "minus": "-1",
    "separator": "a\u2028b",
    "long": "x" * 7000,
    "brackets": "[" * 5000,
    "superscript": "²",
    "other digits": "١٢٣" * 100,
}
FIELDS = """
    ctid hostname name description owner ram cpus pids diskspace ips nameservers searchdomains
    snapshot_limit template addressing password sshkeys kind confirmation command reason step
    operation body number inquiry do count unit cron keep username email script_timeout undo_profile
    log_limit reach
    session code offered theme next path node note what access build_-name import-path
    passkey purpose remove clean_groups import-clean_it password_again passkey_again safety discard
"""


@pytest.fixture
def fleet(alpha: Node, busybox: Template, bob: User) -> None:
    containers = Container.objects.bulk_create(
        Container(ctid=ctid, node=alpha, template=busybox, owner=bob, hostname=f"h{ctid}.example")
        for ctid in range(1000, 1300)
    )
    Address.objects.bulk_create(
        Address(container=each, address=f"10.0.{each.ctid % 250}.{each.ctid // 250}")
        for each in containers
    )
    Operation.objects.bulk_create(
        Operation(node=alpha, container=each, ctid=each.ctid, kind="start", state="succeeded")
        for each in containers
    )
    AuditEvent.objects.bulk_create(
        AuditEvent(what=f"start CT {n}", name="bob", ctid=n) for n in range(2000)
    )


@pytest.mark.parametrize("name", LISTS)
def test_a_customer_searches_for_fifty_words_to_exhaust_the_memory_of_all(
    name: str, fleet: None, as_alice: Client
) -> None:
    words = " ".join(f"h{n}" for n in range(50))
    began = time.monotonic()
    answer = as_alice.get(reverse(name), {"q": words})
    assert time.monotonic() - began < 5
    assert answer.status_code == 200
    assert "at most 8 words" in answer.content.decode()


def test_each_word_of_a_search_adds_one_subquery_and_not_twice_as_many(
    fleet: None, as_bob: Client
) -> None:
    sizes = []
    for count in (2, 4, 8):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            as_bob.get("/containers/", {"q": " ".join("h" for _ in range(count))})
        sizes.append(max(len(query["sql"]) for query in captured))
    assert sizes[2] < 6 * sizes[0]


def test_a_search_still_finds_by_number_address_and_words(fleet: None, as_bob: Client) -> None:
    def found(q: str) -> list[int]:
        page: Any = as_bob.get("/containers/", {"q": q}).context["containers"]
        return [container.ctid for container in page]

    assert found("CT 1001") == found("ct1001") == found("1001") == [1001]
    assert found("10.0.1.4") == [1001]
    assert found("h1001 example") == [1001]
    assert found("h1001 elsewhere") == []
    assert found("CT 1001 1002") == []


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_no_text_in_an_address_makes_a_page_fail(
    what: str,
    addresses: dict[str, str],  # noqa: F811
    as_alice: Client,
) -> None:
    value = quote_from_bytes(HOSTILE[what].encode(errors="surrogateescape"))
    names = ("q", "page", "state", "owner", "inquiry", "step", "a", "b", "from", "max", "again")
    for name, address in sorted(addresses.items()):
        if name == "logout":
            continue
        answer = as_alice.get(f"{address}?{'&'.join(f'{n}={value}' for n in names)}")
        assert (name, answer.status_code < 500) == (name, True)


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_no_text_in_a_form_makes_a_page_fail(
    what: str,
    addresses: dict[str, str],  # noqa: F811
    as_alice: Client,
) -> None:
    names = FIELDS.split()
    value = quote_from_bytes(HOSTILE[what].encode(errors="surrogateescape"))
    data = "&".join(f"{name}={value}" for name in names)
    for name, address in sorted(addresses.items()):
        if name in ("logout", "login"):
            continue
        answer = as_alice.post(address, data, content_type="application/x-www-form-urlencoded")
        assert (name, answer.status_code < 500) == (name, True)


@pytest.mark.parametrize("number", ["1E+999999999", "1E+30", "Infinity", "NaN", DIGITS, "-1", "0"])
def test_an_absurd_limit_is_refused_before_it_is_made_a_number(
    number: str, ct101: Container, as_alice: Client
) -> None:
    began = time.monotonic()
    for name in ("ram", "pids", "diskspace", "cpus"):
        answer = as_alice.post("/containers/101/settings/", {"hostname": "web1", name: number})
        assert answer.status_code == 422
    assert time.monotonic() - began < 5


PATHS = (f"/containers/{DIGITS}/", f"/operations/{DIGITS}/", f"/people/{DIGITS}/link/",
         "/people/99999999999999999999999/", "/operations/99999999999999999999999/log")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_number_in_a_path_that_no_column_holds_is_not_found(path: str, as_alice: Client) -> None:
    assert as_alice.get(path).status_code in (404, 405)


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85"])
def test_a_description_smuggles_a_setting_into_what_the_node_reads(
    end: str, ct101: Container, as_alice: Client
) -> None:
    said = f"mine{end}DISABLED=yes"
    read = veconf.parse(veconf.render({"DESCRIPTION": said, "HOSTNAME": "web1"}))
    assert read == {"DESCRIPTION": said, "HOSTNAME": "web1"}
    answer = as_alice.post("/containers/101/settings/", {"hostname": "web1", "description": said})
    assert answer.status_code in (302, 422)


def test_the_table_of_addresses_is_the_one_that_is_walked() -> None:
    assert set(LISTS) <= set(TABLE)
