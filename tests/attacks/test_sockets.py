"""Attacks through an open websocket, and with one that should be closed."""

import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from containers.consumers import attendance, socket
from containers.consumers.socket import understood
from containers.models import Operation
from containers.models.user_session import UserSession
from tests.web.sockets import Browse

pytestmark = pytest.mark.django_db(transaction=True)
NEWS = "/ws/news"
WITHIN = 2.0  # seconds in which a socket is cut


def log(operation: Operation) -> str:
    return f"/ws/operations/{operation.pk}/log"


async def test_a_browser_says_more_than_there_is_to_say(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    for _ in range(150):
        await browser.ack(0)
    await browser.read("never")
    assert browser.code == 4008


async def test_a_browser_says_much_at_a_time(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    for _ in range(10):
        await browser.send_to(text_data=json.dumps({"ack": 0, "more": "x" * 4000}))
    await browser.read("never")
    assert browser.code == 4008


async def test_whoever_acknowledges_each_piece_of_a_log_is_not_cut(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    def say() -> None:
        for n in range(600):
            operation.chunks.create(offset=n * 16, data=b"0123456789abcde\n", staff_only=n % 2 == 1)
        Operation.objects.filter(pk=operation.pk).update(
            log_len=600 * 16, state="succeeded", finished="2026-01-02T03:04:05Z"
        )

    await sync_to_async(say)()
    browser = await browse(as_bob, log(operation))
    await browser.read("eof")
    assert len(browser.shown) == 300


DEEP = "[" * 4000, '{"ack":' * 500, '{"ack": {"a": {"b": {"c": {"d": 1}}}}}'
ABSURD = '{"ack": 1e999}', '{"ack": -Infinity}', '{"ack": "\\ud800"}', '{"ack": []}'


@pytest.mark.parametrize("said", [*DEEP, *ABSURD])
async def test_json_that_is_deep_or_absurd_closes_the_socket_and_nothing_else(
    browse: Browse, as_bob: Client, operation: Operation, said: str
) -> None:
    browser = await browse(as_bob, log(operation))
    await browser.read("hello")
    await browser.send_to(text_data=said)
    await browser.read("never")
    assert browser.code == 4400


def test_json_that_is_deep_is_not_even_read() -> None:
    for text in ("[" * 5, '{"a":' * 5, "[1]", "3", "x" * 5000):
        with pytest.raises(ValueError):  # noqa: PT011 (json's own is one, too)
            understood(text)
    assert understood('{"ack": 5}') == {"ack": 5}


async def test_one_person_opens_sockets_without_end(
    browse: Browse, as_bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert socket.MOST <= 50
    monkeypatch.setattr(socket, "MOST", 1)
    await (await browse(as_bob, NEWS)).read("tick")
    second = await browse(as_bob, NEWS)
    await second.read()
    assert second.code == 4429


async def cut(browser: Any) -> float:
    began = time.monotonic()
    await browser.read("never")
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["disabled", "signed out", "ended elsewhere", "session expired"])
async def test_a_socket_stays_open_after_its_user_has_lost_the_right_to_it(
    browse: Browse, as_bob: Client, as_alice: Client, bob: User, how: str
) -> None:
    await sync_to_async(as_bob.get)("/containers/")
    browser, another = await browse(as_bob, NEWS), await browse(as_alice, NEWS)
    await browser.read("tick")
    await another.read("tick")

    def lose() -> None:
        key = as_bob.session.session_key
        match how:
            case "disabled":
                User.objects.filter(pk=bob.pk).update(is_active=False)
            case "signed out":
                as_bob.post("/logout/")
            case "ended elsewhere":
                UserSession.objects.get(session_key=key).end()
            case _:
                Session.objects.update(expire_date="2020-01-01T00:00:00Z")

    await sync_to_async(lose)()
    assert await cut(browser) < WITHIN
    assert browser.code == 4401
    if how != "session expired":
        assert await another.receive_nothing(0.1)


async def test_watching_who_has_to_go_costs_two_queries_however_many_sockets(
    bob: User, as_bob: Client, django_assert_num_queries: Any
) -> None:
    key = as_bob.session.session_key or ""

    def look() -> None:
        with django_assert_num_queries(2):
            gone = attendance.ended([(key, bob.pk)] * 300 + [("elsewhere", bob.pk), (key, 4711)])
        assert gone == {("elsewhere", bob.pk), (key, 4711)}

    await sync_to_async(look)()


async def test_nobody_is_watched_when_nobody_is_there(browse: Browse, as_bob: Client) -> None:
    browser = await browse(as_bob, NEWS)
    await browser.read("tick")
    assert attendance.rounds
    await browser.disconnect()
    assert not attendance.rounds
    assert not attendance.present
