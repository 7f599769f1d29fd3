"""All processes of a panel of its own: what a test needs to kill one of them."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Origin

from containers.node.conf import CHECKOUT, NodeConf
from tests import groups

HEARD_WITHIN = 60.0  # seconds

PREPARE = """
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from containers.models import Container, Node
call_command("migrate", verbosity=0, skip_checks=True)
alpha = Node.objects.create(name="alpha", runtime="dry-run", storage="directory")
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
    """All processes of a panel of its own. bare: nothing has been prepared yet."""

    def __init__(self, state: Path, *, bare: bool = False) -> None:
        self.conf = NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PANEL_", "DJANGO_"))},
            "PANEL_STATE_DIR": f"{state}",
            "PANEL_NODE": "alpha",
            "PANEL_HTTP": "127.0.0.1:0",
            "PANEL_RUNTIME": "dry-run",
            "DJANGO_SETTINGS_MODULE": "panel.settings",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.cookie = ""
        if not bare:
            (state / "web" / "static").mkdir(parents=True)
            (state / "web" / "secret.key").write_text("only for tests")
            self.conf.run.mkdir(parents=True)

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

    def manage(self, *words: str) -> str:
        """Run a management command."""
        done = subprocess.run([sys.executable, "manage.py", *words], env=self.env, cwd=CHECKOUT,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "containers.commands.pctl", *words],
                              env=self.env, cwd=CHECKOUT, capture_output=True, text=True,
                              check=False)  # fmt: skip

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
            origin=Origin(f"http://127.0.0.1:{port}"),
        )

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        groups.take_away(self.conf)
        shutil.rmtree(self.conf.run, ignore_errors=True)


def collected(folder: Path) -> str:
    """Collect the files that pages name there; returns the folder for PANEL_STATIC_ROOT."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        "PANEL_STATE_DIR": f"{folder}",
        "PANEL_STATIC_ROOT": f"{folder}",
    }
    words = ["collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run([sys.executable, "manage.py", *words], env=env, cwd=CHECKOUT, check=True)
    return f"{folder}"


def wait_until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + HEARD_WITHIN
    while not true():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.02)
