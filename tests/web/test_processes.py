"""The real processes: a node, a web server and a Redis beside them, and what each may survive."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from containers.node.conf import CHECKOUT, NodeConf
from containers.node.spool import Nudge, Spool, Writer

pytestmark = [pytest.mark.redis, pytest.mark.timeout(180)]
PATIENCE = 20.0

PREPARE = """
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from containers.models import Container, Node
call_command("migrate", verbosity=0, skip_checks=True)
alpha = Node.objects.create(name="alpha", runtime="rehearsal", storage="directory")
alice = User.objects.create_user("alice", is_staff=True)
Container.objects.create(ctid=101, node=alpha, hostname="web1", state="stopped")
client = Client()
client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
print(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
"""
REQUEST = """
from containers.models import Container
operation = Container.objects.get(ctid=101).request("{kind}")
print(operation.pk)
"""
ROW = """
import json
from containers.models import Operation
o = Operation.objects.get(pk={pk})
log = b"".join(bytes(c.data) for c in o.chunks.all()).decode()
print(json.dumps({{"state": o.state, "log": log, "error": o.error}}))
"""


class House:
    """All processes of a panel of its own."""

    def __init__(self, state: Path) -> None:
        self.conf = NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PANEL_", "DJANGO_"))},
            "PANEL_STATE_DIR": f"{state}",
            "PANEL_NODE": "alpha",
            "PANEL_HTTP": "127.0.0.1:0",
            "PANEL_RUNTIME": "rehearsal",
            "DJANGO_SETTINGS_MODULE": "panel.settings",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        (state / "web" / "static").mkdir(parents=True)
        (state / "web" / "secret.key").write_text("only for tests")
        self.conf.run.mkdir(parents=True)
        self.cookie = ""

    def furnish(self) -> None:
        self.redis_server = self.redis()
        self.cookie = self.ask(PREPARE).strip()

    def ask(self, code: str) -> str:
        """Run a few lines in a Django of this house."""
        code = "import django; django.setup()\n" + code
        done = subprocess.run([sys.executable, "-c", code], env=self.env, cwd=CHECKOUT,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def redis(self) -> subprocess.Popen[bytes]:
        argv = ["redis-server", "--port", "0", "--unixsocket", f"{self.conf.run}/redis.sock",
                "--save", "", "--loglevel", "warning"]  # fmt: skip
        process = self.start(argv)
        wait_until((self.conf.run / "redis.sock").exists)
        return process

    def node(self) -> subprocess.Popen[bytes]:
        process = self.start([sys.executable, "manage.py", "runnode"])
        wait_until(lambda: self.conf.doorbell.exists() or process.poll() is not None)
        return process

    def web(self) -> tuple[subprocess.Popen[bytes], int]:
        process = self.start([sys.executable, "manage.py", "runweb"])
        assert process.stdout
        line = process.stdout.readline().decode()
        return process, int(line.split()[-1].rstrip("."))

    def start(self, argv: list[str]) -> subprocess.Popen[bytes]:
        log = (self.conf.state / "processes.log").open("ab")
        process = subprocess.Popen(argv, env=self.env, cwd=CHECKOUT, stdout=subprocess.PIPE,
                                   stderr=log)  # fmt: skip
        log.close()
        self.processes.append(process)
        return process

    def request(self, kind: str) -> int:
        return int(self.ask(REQUEST.format(kind=kind)))

    def row(self, pk: int) -> dict[str, Any]:
        return dict(json.loads(self.ask(ROW.format(pk=pk))))

    def finished(self, pk: int) -> dict[str, Any]:
        wait_until(lambda: self.row(pk)["state"] not in ("queued", "running"))
        return self.row(pk)

    def socket(self, port: int, pk: int, offset: int = 0) -> connect:
        return connect(
            f"ws://127.0.0.1:{port}/ws/operations/{pk}/log?from={offset}",
            additional_headers={"Cookie": self.cookie},
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        )

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.conf.run)


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


def wait_until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.02)


def test_a_node_ends_at_once_when_asked_and_goes_on_when_it_is_back(house):
    node = house.node()
    first = house.finished(house.request("start"))
    assert first["state"] == "succeeded", first["error"]
    node.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert node.wait(5) == 0
    assert time.monotonic() - asked < 2
    second = house.request("stop")
    house.node()
    assert house.finished(second)["state"] == "succeeded"


def test_a_second_node_process_is_refused(house):
    house.node()
    second = house.start([sys.executable, "manage.py", "runnode"])
    assert second.wait(PATIENCE) == 9
    assert "is at work on node alpha" in (house.conf.state / "processes.log").read_text()


def test_a_node_killed_in_the_middle_of_a_script_goes_on_where_it_was(house):
    pk = house.request("start")
    house.ask(f"from containers.models import Operation\n"
              f"Operation.objects.filter(pk={pk}).update(state='running', fence=1)")  # fmt: skip
    spool = Spool(house.conf.spool / f"{pk}")
    spool.write_request({})
    with spool.hold():  # we are the runner, and outlive the node
        writer = Writer(spool, Nudge(house.conf.doorbell, f"{pk}"))
        step = {"i": 0, "step": "start", "label": "run the own start script", "where": "container"}
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


def test_the_doorbell_works_again_after_redis_was_restarted(house):
    house.node()
    house.redis_server.kill()
    house.redis_server.wait()
    lost = house.request("start")  # nobody hears this one: the node looks by itself
    assert house.finished(lost)["state"] == "succeeded"
    house.redis()
    again = house.request("stop")
    assert house.finished(again)["state"] == "succeeded"


async def test_a_browser_follows_live_and_is_told_when_the_server_goes(house):
    house.node()
    pk = await asyncio.to_thread(house.request, "start")
    _, port = house.web()
    async with house.socket(port, pk) as socket:
        shown = b""
        while True:
            message = await asyncio.wait_for(socket.recv(), PATIENCE)
            if isinstance(message, bytes):
                assert int.from_bytes(message[1:9], "big") == len(shown)
                shown += message[9:]
            elif json.loads(message)["type"] == "eof":
                break
        await socket.wait_closed()
        assert socket.close_code == 1000
    assert shown.decode() == (await asyncio.to_thread(house.row, pk))["log"]


async def test_a_web_server_that_goes_tells_its_browsers_to_come_again(house):
    pk = await asyncio.to_thread(house.request, "start")
    web, port = house.web()
    async with house.socket(port, pk) as socket:
        assert json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))["type"] == "hello"
        web.send_signal(signal.SIGTERM)
        await asyncio.wait_for(socket.wait_closed(), PATIENCE)
        assert socket.close_code == 4012
    assert await asyncio.to_thread(web.wait, 5) == 0
