"""A log on its way to a browser: every byte once, in order, for the right eyes."""

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from containers import doorbell
from containers.models import LogChunk, Operation
from containers.node.states import Progress
from tests.web.sockets import Browse

pytestmark = pytest.mark.django_db(transaction=True)


def said(operation: Operation, data: bytes, *, staff_only: bool = False, ring: bool = True) -> None:
    row = Operation.objects.get(pk=operation.pk)
    LogChunk.objects.create(operation=row, offset=row.log_len, data=data, staff_only=staff_only)
    Operation.objects.filter(pk=row.pk).update(log_len=row.log_len + len(data))
    if ring:
        doorbell.ring_viewers(row.pk)


def finished(operation: Operation) -> None:
    Operation.objects.get(pk=operation.pk).end(Progress.SUCCEEDED, code=0)
    doorbell.ring_viewers(operation.pk)


def path(operation: Operation, query: str = "") -> str:
    return f"/ws/operations/{operation.pk}/log{query}"


async def test_a_browser_sees_what_was_said_and_what_is_being_said(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    await sync_to_async(said)(operation, b"one\n")
    browser = await browse(as_bob, path(operation))
    await browser.read("hello")
    assert browser.said[-1] == {"type": "hello", "from": 0, "end": 4, "state": "queued"}
    await browser.read()
    await sync_to_async(said)(operation, b"two\n")
    await browser.read()
    assert browser.text == b"one\ntwo\n"
    await sync_to_async(finished)(operation)
    await browser.read("eof")
    assert browser.said[-1]["state"] == "succeeded"
    await browser.read()
    assert browser.code == 1000


async def test_a_browser_that_comes_back_gets_the_rest_and_nothing_twice(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    await sync_to_async(said)(operation, b"a" * 1000)
    await sync_to_async(said)(operation, b"b" * 1000)
    browser = await browse(as_bob, path(operation, "?from=1500"))
    await sync_to_async(finished)(operation)
    await browser.read("eof")
    assert browser.shown == {1500: b"b" * 500}


async def test_the_tail_alone_can_be_asked_for(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    await sync_to_async(said)(operation, b"0123456789")
    browser = await browse(as_bob, path(operation, "?from=-3"))
    await browser.read("hello")
    await browser.read()
    assert browser.shown == {7: b"789"}


async def test_a_customer_is_told_which_bytes_are_not_for_him(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    await sync_to_async(said)(operation, b"==> run its mount script\n")
    await sync_to_async(said)(operation, b"a secret of the node\n", staff_only=True)
    await sync_to_async(said)(operation, b"==> run its start script\n")
    await sync_to_async(finished)(operation)
    browser = await browse(as_bob, path(operation))
    await browser.read("eof")
    assert b"secret" not in browser.text
    assert sorted(browser.shown) == [0, 46]
    assert {"type": "skip", "from": 25, "to": 46} in browser.said


async def test_staff_sees_all_of_it(browse: Browse, as_alice: Client, operation: Operation) -> None:
    await sync_to_async(said)(operation, b"a secret of the node\n", staff_only=True)
    await sync_to_async(finished)(operation)
    browser = await browse(as_alice, path(operation))
    await browser.read("eof")
    assert browser.text == b"a secret of the node\n"


async def test_a_slow_browser_is_sent_no_more_than_it_can_take(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    for _ in range(16):
        await sync_to_async(said)(operation, b"x" * 65536)
    browser = await browse(as_bob, path(operation), slow=True)
    await browser.read("hello")
    for _ in range(4):
        await browser.read()
    assert await browser.receive_nothing(0.3)
    await browser.ack(65536)
    await browser.read()
    assert len(browser.text) == 5 * 65536
    assert await browser.receive_nothing(0.1)
    browser.slow = False
    await browser.ack(5 * 65536)
    await sync_to_async(finished)(operation)
    await browser.read("eof")
    assert len(browser.text) == 16 * 65536


async def test_a_long_log_arrives_whole_for_two_browsers_at_different_speeds(
    browse: Browse, as_alice: Client, as_bob: Client, operation: Operation
) -> None:
    lines = b"".join(b"%d\n" % n for n in range(200_000))
    quick = await browse(as_alice, path(operation))
    for begin in range(0, len(lines), 50_000):
        await sync_to_async(said)(operation, lines[begin : begin + 50_000])
    late = await browse(as_bob, path(operation))
    await sync_to_async(finished)(operation)
    await quick.read("eof")
    await late.read("eof")
    assert quick.text == late.text == lines


async def test_a_lost_ring_costs_a_moment_and_no_byte(
    browse: Browse, as_bob: Client, operation: Operation
) -> None:
    browser = await browse(as_bob, path(operation))
    await browser.read("hello")
    await sync_to_async(said)(operation, b"unheard\n", ring=False)
    await browser.read()
    assert browser.text == b"unheard\n"
