"""Attacks spread over several web processes: a limit holds for all of them together."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.test import override_settings

from containers.bucket import Buckets
from containers.gate import Door
from containers.gate.visitor import Visitor, digest, sessions
from containers.tally import AWAY, Tally
from tests.attacks.test_floods import RATES, page, scope, statuses
from tests.web.house import House, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = ["redis-server", "--port", "0", "--unixsocket", f"{tmp_path}/redis.sock", "--save", "",
            "--dir", f"{tmp_path}"]  # fmt: skip
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    wait_until((tmp_path / "redis.sock").exists)
    yield server
    server.kill()
    server.wait()


@pytest.fixture
async def tallies(
    redis: subprocess.Popen[bytes], tmp_path: Path
) -> AsyncIterator[tuple[Tally, Tally]]:
    """Of two web processes."""
    both = Tally(f"unix://{tmp_path}/redis.sock"), Tally(f"unix://{tmp_path}/redis.sock")
    yield both
    for each in both:
        await each.close()


def doors(*tallies: Tally) -> list[Door]:
    return [Door(page, counts=Buckets(), tally=each) for each in tallies]


@override_settings(RATES=RATES)
async def test_a_stranger_goes_from_one_process_to_the_other(tallies: tuple[Tally, Tally]) -> None:
    one, other = doors(*tallies)
    found = await statuses(one, 25, scope()) + await statuses(other, 25, scope())
    assert found == [200] * 50
    assert await statuses(one, 1, scope()) == [429]
    assert await statuses(other, 1, scope()) == [429]
    assert await statuses(other, 1, scope("192.0.2.8")) == [200]


@override_settings(RATES=RATES)
async def test_a_customer_does_so_at_once(tallies: tuple[Tally, Tally]) -> None:
    sessions[digest("bob's")] = (7, False)
    gates = doors(*tallies)
    wanted = [scope(f"192.0.2.{n}", "bob's") for n in range(40)]
    asked = [statuses(gates[n % 2], 1, each) for n, each in enumerate(wanted)]
    found = await asyncio.gather(*asked)
    assert found.count([200]) == 20


@override_settings(RATES=RATES)
async def test_tokens_come_back(tallies: tuple[Tally, Tally]) -> None:
    limits = [("somebody", 2.0, 2.0)]
    assert [await tallies[n % 2].wait(limits) > 0 for n in range(3)] == [False, False, True]
    await asyncio.sleep(await tallies[0].wait(limits))
    assert await tallies[1].wait(limits) == 0


@override_settings(RATES=RATES)
async def test_without_redis_each_process_still_counts(
    tallies: tuple[Tally, Tally], redis: subprocess.Popen[bytes]
) -> None:
    one, other = doors(*tallies)
    await statuses(one, 30, scope())
    redis.kill()
    redis.wait()
    assert await statuses(one, 21, scope()) == [200] * 20 + [429]
    assert await statuses(other, 51, scope()) == [200] * 50 + [429]


@override_settings(RATES=RATES)
async def test_a_redis_that_hangs_holds_nobody_up_for_long(
    tallies: tuple[Tally, Tally], redis: subprocess.Popen[bytes]
) -> None:
    one, _ = doors(*tallies)
    await statuses(one, 1, scope())
    redis.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert await statuses(one, 20, scope()) == [200] * 20
    assert time.monotonic() - began < AWAY / 2


async def test_places_for_sockets_are_those_of_all_processes(
    tallies: tuple[Tally, Tally],
) -> None:
    one, other = tallies
    assert [await one.stay("bob", f"{n}", 3) for n in range(2)] == [True, True]
    assert await other.stay("bob", "2", 3)
    assert not await other.stay("bob", "3", 3)
    assert await one.stay("bob", "0", 3)  # whoever has one keeps it
    assert await other.stay("carol", "3", 3)
    await one.leave("bob", "1")
    assert await other.stay("bob", "3", 3)


async def test_what_a_count_costs(tallies: tuple[Tally, Tally]) -> None:
    limits = [*Visitor("192.0.2.7").limits, ("user 7", 1e6, 1e7)]
    await tallies[0].wait(limits)
    began = time.monotonic()
    for _ in range(100):
        await tallies[0].wait(limits)
    assert time.monotonic() - began < 1.0  # 10 ms each; it takes 0.3 on an idle machine


def test_two_real_ones(house: House) -> None:
    house.env["PANEL_RATES"] = "address=2"  # 20 at once
    ports = [house.web()[1] for _ in range(2)]

    def status(number: int) -> int:
        with closing(HTTPConnection("127.0.0.1", ports[number % 2], timeout=30)) as line:
            line.request("GET", "/account/")  # which leads to the sign-in page
            return line.getresponse().status

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(status, range(60)))
    came_back = 2 * (time.monotonic() - began)
    assert 20 <= found.count(302) <= 21 + came_back
    assert found.count(429) == 60 - found.count(302)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "state")
    try:
        house.furnish()
        yield house
    finally:
        house.close()
