"""Who is let in at a websocket, who is not, and who loses it again."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client, override_settings

from containers import doorbell
from containers.consumers import LogConsumer, NewsConsumer
from containers.models import Container, Operation
from tests.web.sockets import Browse, Browser

pytestmark = pytest.mark.django_db(transaction=True)
NEWS = "/ws/news"


def log(operation: Operation) -> str:
    return f"/ws/operations/{operation.pk}/log"


@pytest.mark.parametrize("where", ["log", "news"])
async def test_whoever_has_not_signed_in_is_sent_to_do_so(
    browse: Browse, operation: Operation, where: str
) -> None:
    browser = await browse(Client(), log(operation) if where == "log" else NEWS)
    await browser.read()
    assert browser.code == 4401


async def test_an_operation_on_anothers_container_does_not_exist(
    browse: Browse, as_carol: Client, operation: Operation
) -> None:
    browser = await browse(as_carol, log(operation))
    await browser.read()
    assert browser.code == 4404


async def test_an_operation_that_never_was_does_not_exist_either(
    browse: Browse, as_alice: Client
) -> None:
    browser = await browse(as_alice, "/ws/operations/4711/log")
    await browser.read()
    assert browser.code == 4404


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"http://localhost:9999", b"localhost:8000"),
        (b"https://localhost:8000", b"localhost:8000"),
        (b"http://elsewhere.example", b"localhost:8000"),
        (b"http://rebound.example:8000", b"rebound.example:8000"),
        (b"null", b"localhost:8000"),
        (b"", b"localhost:8000"),
    ],
)
@override_settings(ALLOWED_HOSTS=["localhost"])
async def test_a_page_of_another_origin_is_refused(
    as_alice: Client, operation: Operation, origin: bytes, host: bytes
) -> None:
    browser = Browser(as_alice, log(operation), origin=origin, host=host)
    assert (await browser.connect())[0] is False


@override_settings(ALLOWED_HOSTS=["localhost"])
async def test_our_own_page_seen_through_a_forwarded_port_is_let_in(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    origin, host = b"http://localhost:9000", b"localhost:9000"
    browser = await browse(as_bob, log(operation), origin=origin, host=host)
    await browser.read("hello")


async def test_there_is_nothing_at_other_addresses(as_alice: Client) -> None:
    assert (await Browser(as_alice, "/ws/elsewhere").connect())[0] is False


async def test_signing_out_closes_the_socket(
    browse: Browse, as_bob: Client, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogConsumer, "recheck", 0.05)
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    await sync_to_async(as_bob.logout)()
    await browser.read()
    assert browser.code == 4401


async def test_a_deactivated_user_loses_the_socket(
    browse: Browse, as_bob: Client, bob: User, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NewsConsumer, "recheck", 0.05)
    browser = await browse(as_bob, NEWS)
    await browser.read("tick")
    await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
    await browser.read("never")
    assert browser.code == 4401


async def test_a_new_owner_closes_the_socket_of_the_old_one(
    browse: Browse,
    as_bob: Client,
    carol: User,
    ct101: Container,
    operation: Operation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LogConsumer, "recheck", 0.05)
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    await Container.objects.filter(pk=ct101.pk).aupdate(owner=carol)
    await browser.read()
    assert browser.code == 4404


async def test_one_person_has_only_so_many_sockets(
    browse: Browse, as_bob: Client, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("containers.consumers.socket.MOST", 2)
    for _ in range(2):
        await (await browse(as_bob, NEWS)).read("tick")
    third = await browse(as_bob, NEWS)
    await third.read()
    assert third.code == 4429
    await (await browse(as_alice, NEWS)).read("tick")


@pytest.mark.parametrize("said", ["[]", "{}", "not json", '{"ack": null}', "x" * 5000])
async def test_what_is_not_in_the_protocol_closes_the_socket(
    browse: Browse, as_bob: Client, operation: Operation, said: str
) -> None:
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    await browser.send_to(text_data=said)
    await browser.read()
    assert browser.code == 4400


async def test_news_reach_those_whom_they_concern(
    browse: Browse, as_alice: Client, as_bob: Client, as_carol: Client, bob: User
) -> None:
    alice, bobs, carol = [await browse(c, NEWS) for c in (as_alice, as_bob, as_carol)]
    for browser in (alice, bobs, carol):
        await browser.read("tick")
    await sync_to_async(doorbell.ring_pages)(owner=bob.pk, ctid=101, operation=7)
    await sync_to_async(doorbell.ring_pages)(everybody=True, usage=True)
    await alice.read()
    assert alice.said[-1] == {"type": "news", "ctid": 101, "operation": 7}
    await bobs.read()
    assert bobs.said[-1] == {"type": "news", "ctid": 101, "operation": 7}
    await carol.read()
    assert carol.said[-1] == {"type": "news", "usage": True}
