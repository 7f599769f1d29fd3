"""Attacks with many requests, and with requests that take for ever."""

import asyncio
import json
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as of_panel
from django.db import OperationalError, connections
from django.test import Client, RequestFactory, override_settings

from containers import visitors
from containers.gate import Door, deadline, door
from containers.gate.line import Full, Line
from containers.gate.visitor import Visitor, digest, sessions
from tests.web.house import House

RATES = {"customer": 2.0, "staff": 8.0, "address": 5.0}
FOREVER = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n
"""


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a page"})


def scope(address: str = "192.0.2.7", session: str = "", **more: Any) -> dict[str, Any]:
    cookie = f"{of_panel.SESSION_COOKIE_NAME}={session}".encode()
    headers = [(b"cookie", cookie)] if session else []
    return {"type": "http", "path": "/containers/", "client": [address, 1234],
            "headers": headers, **more}  # fmt: skip


async def asked(gate: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The first message of the answer."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    await gate(wanted, receive, send)
    return said[0]


async def statuses(gate: Any, times: int, wanted: dict[str, Any]) -> list[int]:
    return [(await asked(gate, wanted))["status"] for _ in range(times)]


@override_settings(RATES=RATES)
async def test_a_stranger_sends_more_than_an_address_may() -> None:
    gate = Door(page)
    assert await statuses(gate, 51, scope()) == [200] * 50 + [429]
    answer = await asked(gate, scope())
    assert (b"retry-after", b"1") in answer["headers"]
    assert (await asked(gate, scope("192.0.2.8")))["status"] == 200


@override_settings(RATES=RATES)
async def test_a_stranger_changes_the_address_within_an_ipv6_network() -> None:
    gate = Door(page)
    found = [(await asked(gate, scope(f"2001:db8::{n:x}")))["status"] for n in range(51)]
    assert found == [200] * 50 + [429]
    assert (await asked(gate, scope("2001:db8:0:1::1")))["status"] == 200


@override_settings(RATES=RATES)
async def test_a_stranger_makes_up_a_session_for_each_request() -> None:
    gate = Door(page)
    found = [(await asked(gate, scope(session=f"made-up-{n}")))["status"] for n in range(51)]
    assert found[-1] == 429


@override_settings(RATES=RATES)
async def test_a_customer_sends_from_many_addresses_and_signs_in_many_times() -> None:
    gate = Door(page)
    for n in range(30):
        sessions[digest(f"session-{n}")] = (7, False)
    wanted = [scope(f"192.0.2.{n}", f"session-{n}") for n in range(30)]
    found = [(await asked(gate, each))["status"] for each in wanted]
    assert found == [200] * 20 + [429] * 10


@override_settings(RATES=RATES)
async def test_staff_are_not_held_up_by_a_stranger_at_their_address() -> None:
    gate = Door(page)
    sessions[digest("alice's")] = (1, True)
    assert (await statuses(gate, 60, scope()))[-1] == 429
    assert await statuses(gate, 80, scope(session="alice's")) == [200] * 80


@override_settings(RATES=RATES)
async def test_health_and_static_files_are_answered_in_a_flood() -> None:
    gate = Door(page)
    await statuses(gate, 60, scope())
    assert (await asked(gate, scope(path="/health")))["status"] == 200
    assert (await asked(gate, scope(path="/static/panel.css")))["status"] == 200


@override_settings(RATES=RATES)
async def test_a_flood_of_websockets_is_closed_at_the_door() -> None:
    sessions[digest("bob's")] = (7, False)
    gate = Door(page)
    found = [await asked(gate, scope(session="bob's", type="websocket")) for _ in range(21)]
    assert found[-1] == {"type": "websocket.close", "code": 4429}


async def test_slow_requests_of_one_wait_for_one_another_and_the_line_has_an_end() -> None:
    line = Line()
    await line.turn("bob", 1)
    waiting = [asyncio.ensure_future(line.turn("bob", 1)) for _ in range(30)]
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await line.turn("bob", 1)
    await asyncio.wait_for(line.turn("carol", 1), 1)
    waiting[0].cancel()
    await asyncio.sleep(0)
    for _ in range(30):
        line.leave("bob")
        await asyncio.sleep(0)
    line.leave("carol")
    assert all(task.done() for task in waiting)
    assert line.counters == {}


@override_settings(REQUEST_SECONDS=0.2)
async def test_a_request_that_never_ends_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "GRACE", 0.0)

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.5)
        await page(scope, receive, send)

    began = time.monotonic()
    gate = Door(stuck)
    assert (await asked(gate, scope()))["status"] == 503
    assert time.monotonic() - began < 0.45
    assert gate.line.counters  # it keeps its place: nobody piles up what does not end
    await asyncio.gather(*door.late)
    assert gate.line.counters == {}


@override_settings(REQUEST_SECONDS=0.3)
@pytest.mark.django_db(transaction=True)
async def test_a_question_that_a_database_would_never_answer_is_stopped() -> None:
    def ask() -> None:
        fresh = connections.create_connection("default")
        try:
            with fresh.cursor() as cursor:
                cursor.execute(FOREVER)
        finally:
            fresh.close()

    async def view(scope: Any, receive: Any, send: Any) -> None:
        try:
            await sync_to_async(ask)()
        except OperationalError as error:
            assert deadline.over()
            request = RequestFactory().get("/")
            shown = deadline.Deadline(lambda request: None).process_exception(request, error)  # type: ignore[arg-type]
            assert shown
            assert shown.status_code == 503
            await page(scope, receive, send)

    began = time.monotonic()
    assert (await asked(Door(view), scope()))["status"] == 200
    assert time.monotonic() - began < 1.2


async def test_a_cookie_that_no_database_takes_is_refused() -> None:
    for kind, answered in (("http", "http.response.start"), ("websocket", "websocket.close")):
        wanted = scope(session=r'"aaaaaaaa\000aaaaaaaa"', type=kind)
        answer = await asked(Door(page), wanted)
        assert answer["type"] == answered
        assert answer.get("status", 400) == 400


@override_settings(RATES=RATES)
async def test_a_customer_hides_their_session_among_odd_cookies() -> None:
    sessions[digest("bob's")] = (7, False)
    name = of_panel.SESSION_COOKIE_NAME.encode()
    odd = [(b"cookie", b"{odd}=\x01; @"), (b"cookie", b"a=b; " + name + b"=bob's")]
    assert Visitor.of(scope(headers=odd)).user == 7


@pytest.mark.django_db
def test_a_cookie_counts_for_its_user_only_once_django_has_taken_it(as_bob: Client) -> None:
    session = as_bob.cookies[of_panel.SESSION_COOKIE_NAME].value
    assert Visitor.of(scope(session=session)).role == "address"
    as_bob.get("/containers/")
    assert Visitor.of(scope(session=session)).role == "customer"
    assert Visitor.of(scope(session="stolen")).role == "address"


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
     ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::/64"), ("", ""), ("x", "x")],
)  # fmt: skip
def test_who_has_a_network_counts_once(address: str, network: str) -> None:
    assert visitors.network(address) == network


PEOPLE = """
import json
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from containers.models import Address, Container, Node
alpha = Node.objects.get()
cookies = {}
for name in ("bob", "carol"):
    user = User.objects.create_user(name)
    Container.objects.bulk_create(
        Container(ctid=ctid, node=alpha, hostname=f"h{ctid}", owner=user)
        for ctid in range(1000 if name == "bob" else 2000, 1100 if name == "bob" else 2100))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookies[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps({"name": settings.SESSION_COOKIE_NAME, **cookies}))
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.furnish()
    yield house
    house.close()


@pytest.mark.redis
@pytest.mark.flaky(reruns=2)  # a ratio of times, on a machine that others use, too
def test_a_customer_sends_twenty_hostile_requests_a_second_and_others_hardly_notice(
    house: House,
) -> None:
    """Medians of the same page, in one run: calm, under attack, and calm again."""
    house.manage("collectstatic", "--noinput", "--verbosity", "0")
    cookies = json.loads(house.ask(PEOPLE))
    _, port = house.web()
    words = "+".join(f"h{n}" for n in range(50))

    def get(who: str, path: str) -> tuple[int, float]:
        url = f"http://127.0.0.1:{port}{path}"
        cookie = f"{cookies['name']}={cookies[who]}"
        began = time.monotonic()
        request = urllib.request.Request(url, headers={"Cookie": cookie})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        return status, time.monotonic() - began

    def median(times: int) -> float:
        found = [get("carol", "/containers/") for _ in range(times)]
        assert {status for status, _ in found} == {200}
        return statistics.median(seconds for _, seconds in found)

    got: list[int] = []
    over = threading.Event()

    def attack() -> None:
        status, _ = get("bob", f"/containers/?q={words}")
        got.append(status)

    def attacker() -> None:
        while not over.wait(1 / 20):
            threading.Thread(target=attack, daemon=True).start()

    median(10)
    calm = median(30)
    thread = threading.Thread(target=attacker)
    thread.start()
    at_first = median(30)
    time.sleep(11)  # until the tokens for a burst are used up
    attacked = median(30)
    over.set()
    thread.join()
    time.sleep(1)
    calm = max(calm, median(20))
    figures = [round(seconds * 1000, 1) for seconds in (calm, at_first, attacked)]
    print(f"ms when calm, in the first burst, and from then on: {figures}")
    assert 429 in got
    assert set(got) <= {200, 429}
    assert max(at_first, attacked) < 3 * calm  # 2 is the aim; others use this machine, too
