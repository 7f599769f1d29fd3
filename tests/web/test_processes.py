"""The real processes: a node, a web server and a Redis beside them, and what each may survive."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.spool import Event, Nudge, Spool, Writer
from tests.web.house import HEARD_WITHIN, House, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.timeout(180)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    if not shutil.which("redis-server"):
        pytest.skip("there is no redis-server")
    house = House(tmp_path / "state")
    try:
        house.furnish()
        yield house
    finally:
        house.close()
        print((tmp_path / "state" / "processes.log").read_text())


def test_a_node_ends_at_once_when_asked_and_goes_on_when_it_is_back(house: House) -> None:
    node = house.node()
    first = house.finished(house.request("start"))
    assert first["state"] == "succeeded", first["error"]
    node.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert node.wait(HEARD_WITHIN) == 0
    assert time.monotonic() - asked < 5
    second = house.request("stop")
    house.node()
    assert house.finished(second)["state"] == "succeeded"


def test_a_second_node_process_is_refused(house: House) -> None:
    house.node()
    second = house.start([sys.executable, "manage.py", "runnode"])
    assert second.wait(HEARD_WITHIN) == 9
    assert "is at work on node alpha" in (house.conf.state / "processes.log").read_text()


def test_a_node_killed_in_the_middle_of_a_script_goes_on_where_it_was(house: House) -> None:
    pk = house.request("start")
    house.ask(f"from containers.models import Operation\n"
              f"Operation.objects.filter(pk={pk}).update(state='running', fence=1)")  # fmt: skip
    spool = Spool(house.conf.spool / f"{pk}")
    spool.write_request({})
    with spool.hold():  # we are the runner, and outlive the node
        writer = Writer(spool, Nudge(house.conf.doorbell, f"{pk}"))
        step: Event = {
            "i": 0,
            "step": "start",
            "label": "run its start script",
            "where": "container",
        }
        writer.event("plan", steps=[step])
        writer.event("began", **step, undo=False, off=0)
        writer.write(b"first half, ")
        node = house.node()
        wait_until(lambda: house.row(pk)["log"] == "first half, ")
        node.kill()
        node.wait()
        writer.write(b"second half")
        writer.event("ended", i=0, code=0, signal=None, error="", ignored=False, off=writer.off)
        writer.event("end", progress="succeeded", code=0, error="", state="running", off=writer.off)
        writer.close()
    house.node()
    assert house.finished(pk)["log"] == "first half, second half"
    assert house.row(pk)["state"] == "succeeded"


def test_the_doorbell_works_again_after_redis_was_restarted(house: House) -> None:
    house.node()
    house.redis_server.kill()
    house.redis_server.wait()
    lost = house.request("start")  # nobody hears this one: the node looks by itself
    assert house.finished(lost)["state"] == "succeeded"
    house.redis()
    again = house.request("stop")
    assert house.finished(again)["state"] == "succeeded"


async def test_a_browser_follows_live_and_is_told_when_the_server_goes(house: House) -> None:
    house.node()
    pk = await asyncio.to_thread(house.request, "start")
    _, port = house.web()
    async with house.socket(port, pk) as socket:
        shown = b""
        while True:
            message = await asyncio.wait_for(socket.recv(), HEARD_WITHIN)
            if isinstance(message, bytes):
                assert int.from_bytes(message[1:9], "big") == len(shown)
                shown += message[9:]
            elif json.loads(message)["type"] == "eof":
                break
        await socket.wait_closed()
        assert socket.close_code == 1000
    assert shown.decode() == (await asyncio.to_thread(house.row, pk))["log"]


async def test_a_web_server_that_goes_tells_its_browsers_to_come_again(house: House) -> None:
    pk = await asyncio.to_thread(house.request, "start")
    web, port = house.web()
    async with house.socket(port, pk) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), HEARD_WITHIN))["type"] == "hello"
        web.send_signal(signal.SIGTERM)
        await asyncio.wait_for(socket.wait_closed(), HEARD_WITHIN)
        assert socket.close_code == 4012
    assert await asyncio.to_thread(web.wait, HEARD_WITHIN) == 0


LONG = """
import os
from containers.models import LogChunk, Operation
for n in range(512):
    LogChunk.objects.create(operation_id={pk}, offset=n * 65536, data=os.urandom(65536))
Operation.objects.filter(pk={pk}).update(log_len=512 * 65536, state="succeeded")
"""


async def test_browsers_that_do_not_read_cost_the_server_no_memory(house: House) -> None:
    pk = await asyncio.to_thread(house.request, "start")
    await asyncio.to_thread(house.ask, LONG.format(pk=pk))
    web, port = house.web()
    async with contextlib.AsyncExitStack() as sockets:
        first = await sockets.enter_async_context(house.socket(port, pk))
        await asyncio.wait_for(first.recv(), HEARD_WITHIN)
        before = resident(web.pid)
        for _ in range(8):
            socket = await sockets.enter_async_context(house.socket(port, pk))
            received = 0
            while received < 256 * 1024:  # as much as may be on its way, never acknowledged
                message = await asyncio.wait_for(socket.recv(), HEARD_WITHIN)
                received += len(message) - 9 if isinstance(message, bytes) else 0
        assert resident(web.pid) - before < 16 * 1024 * 1024  # of 8 times 32 MiB


def resident(pid: int) -> int:
    """Bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
