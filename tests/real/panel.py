"""A whole panel of the tests' own: pool, network, Redis, node and web, as `make run` has them."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node.conf import CHECKOUT, NodeConf
from containers.node.layout import Layout
from containers.node.network import remove
from containers.node.processes.cgroup import Group
from containers.node.states import FINISHED
from tests.nginx import free_ports
from tests.real.conftest import clear, end, hierarchies, pids, sweep

DONE_WITHIN = 60.0  # seconds
PROCESSES = dict(
    line.split(": ", 1) for line in (CHECKOUT / "Procfile").read_text().splitlines() if line
)
# /etc/vz and /etc/subuid are everybody's: what another run has made there must stay.
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from containers.management.commands import prepare
from containers.node import ids
prepare.LINKS = ids.FILES = ()
call_command("prepare")
"""


@dataclass
class Panel:
    """All of it below one state folder; what is started is in control groups of this panel."""

    conf: NodeConf
    port: int
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_up(self) -> None:
        self.script("user.sh", "apply")
        self.script("run-folder.sh")
        self.python("-c", PREPARE)
        self.script("static.sh", "apply")

    def start(self, *names: str) -> None:
        """Start redis, node or web, all of them when none is named, and wait until they answer."""
        for name in names or ("redis", "node", "web"):
            self.processes[name] = self.run(name, PROCESSES[name], self.env)
            self.until(READY[name](self), f"{name} to be ready", self.said(name))

    def run(self, name: str, line: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        """A line of the Procfile, in a control group by which it is found whatever happens."""
        group = Group(f"{self.conf.cgroup}/panel")
        group.make()
        with (self.conf.state / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", f"echo $$ >{group.path}/cgroup.procs; {line}"],
                env=env, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @contextlib.contextmanager
    def another_web(self, port: int, **env: str) -> Iterator[None]:
        """A second web process, with other settings, on the same rows."""
        env = {**self.env, "PANEL_HTTP": f"127.0.0.1:{port}", **env}
        process = self.run(f"web-{port}", PROCESSES["web"], env)
        try:
            self.until(lambda: answers(port), "the second web process", self.said(f"web-{port}"))
            yield
        finally:
            process.terminate()
            process.wait(DONE_WITHIN)

    def stop(self, *names: str, by: int = signal.SIGTERM) -> None:
        """End processes, the last one first; node leaves runners and containers alone."""
        for name in reversed(names or tuple(self.processes)):
            if process := self.processes.pop(name, None):
                process.send_signal(by)
                process.wait(DONE_WITHIN)

    def said(self, name: str) -> str:
        path = self.conf.state / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def power_off(self) -> None:
        """What a power cut ends: all of it, containers too, at once.

        So all of it is stopped first: nobody is to see another one's end.
        """
        for pid in self.all_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        while found := self.all_pids():
            end(found)
        for process in self.processes.values():
            process.wait(DONE_WITHIN)
        self.processes.clear()

    def all_pids(self) -> list[int]:
        places = [place / self.conf.cgroup.lstrip("/") for place in hierarchies()]
        return [pid for place in places for group in place.glob("**/") for pid in pids(group)]

    def script(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [f"{CHECKOUT / 'setup' / name}", *words], env=self.env, cwd=CHECKOUT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def python(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], env=self.env, cwd=CHECKOUT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pctl(self, *words: object, stdin: str = "", code: int = 0) -> str:
        """What pctl prints, when it ends with the code that is expected."""
        process = self.pctl_begin(*words)
        out, _ = process.communicate(stdin, timeout=DONE_WITHIN)
        assert process.returncode == code, f"{process.returncode}: {out}"
        return out

    def pctl_begin(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "containers.commands.pctl", *map(str, words)],
            env=self.env, cwd="/", text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def request(self, kind: str, ctid: int, *options: str) -> int:
        """Ask for an operation, and don't wait for its end: its number."""
        before = self.last()
        with self.pctl_begin(kind, ctid, *options) as process:
            self.until(lambda: self.last() > before, f"{kind} of CT {ctid} to be requested")
            process.kill()
        return self.last()

    def save(self, ctid: int | str, name: str, body: str) -> None:
        """Save a script; ctid "--global" for one of the node's."""
        self.pctl("script", "save", ctid, name, stdin=body)

    def path(self, ctid: int) -> Layout:
        return Layout(self.conf, ctid)

    # Rows, read behind the panel's back

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.conf.state / "web" / "panel.sqlite3", timeout=DONE_WITHIN)

    def rows(self, sql: str, *values: object) -> list[Any]:
        with contextlib.closing(self.database()) as database:
            return database.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> None:
        with contextlib.closing(self.database()) as database, database:
            database.execute(sql, values)

    def last(self, ctid: int | None = None) -> int:
        """The number of the latest operation."""
        where = "where ct_id = ?" if ctid else "where ? is null"
        return int(self.rows(f"select max(id) from containers_operation {where}", ctid)[0][0] or 0)

    def log(self, operation: int) -> bytes:
        """Its log so far. Chunks have to follow one another without a gap or an overlap."""
        data = b""
        for offset, chunk in self.rows(
            'select "offset", data from containers_logchunk where operation_id = ? order by 1',
            operation,
        ):
            assert offset == len(data), f"operation {operation}: {offset} after {len(data)} bytes"
            data += chunk
        return data

    def shown(self, operation: int) -> dict[str, Any]:
        """What pctl tells of it, steps and all."""
        return dict(json.loads(self.pctl("operation", "show", operation, "--json")))

    def progress(self, operation: int) -> str:
        return str(
            self.rows("select state from containers_operation where id = ?", operation)[0][0]
        )

    def state(self, ctid: int) -> str:
        return str(self.rows("select state from containers_container where ct_id = ?", ctid)[0][0])

    def until_says(self, operation: int, text: bytes) -> None:
        self.until(lambda: text in self.log(operation), f"{text!r} in the log of {operation}")

    def until_over(self, operation: int) -> str:
        """Wait for its end; how it ended."""
        self.until(lambda: self.progress(operation) in FINISHED, f"operation {operation} to end")
        return self.progress(operation)

    def until_state(self, ctid: int, state: str) -> None:
        self.until(lambda: self.state(ctid) == state, f"CT {ctid} to be {state}")

    def until(self, happened: Callable[[], object], what: str, said: str = "") -> None:
        deadline = time.monotonic() + DONE_WITHIN
        while not happened():
            assert time.monotonic() < deadline, f"waited for {what} {said}{self.said('node')}"
            time.sleep(0.02)


READY: dict[str, Callable[[Panel], Callable[[], object]]] = {
    "redis": lambda panel: (panel.conf.run / "redis.sock").exists,
    "node": lambda panel: panel.conf.doorbell.exists,
    "web": lambda panel: lambda: answers(panel.port),
}


def answers(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer,
    ):
        return bool(answer.status == 200)
    return False


@contextlib.contextmanager
def whole_panel(**env: str) -> Iterator[Panel]:
    """A panel that runs; all of it is gone afterwards, also when a run before this was killed."""
    assert os.geteuid() == 0, "a whole panel needs root"
    sweep()
    panel = laid_out(env)
    try:
        panel.set_up()
        panel.start()
        yield panel
    finally:
        take_away(panel)


def laid_out(env: dict[str, str]) -> Panel:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "w")
    state = Path(f"/var/tmp/panel-test-{worker}-{os.getpid()}-{time.time_ns():x}")
    state.mkdir(mode=0o755)
    conf = NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")
    port = free_ports(1)[0]
    kept = {key: value for key, value in os.environ.items() if key[:6] != "PANEL_"}
    return Panel(conf, port, {
        **kept,
        "PYTHONPATH": f"{CHECKOUT}",
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        "PANEL_STATE_DIR": f"{state}",
        "PANEL_OPENVZ_DIR": f"{state}/openvz",
        "PANEL_NODE": conf.name,
        "PANEL_HTTP": f"127.0.0.1:{port}",
        "PANEL_POOL_SIZE": "8G",
        "PANEL_SUPPORT": "support@hosting.example",
        **env,
    })  # fmt: skip


def take_away(panel: Panel) -> None:
    """Whatever state it is in: processes, containers, network, pool, run folder, state."""
    try:
        panel.power_off()
        remove.remove(panel.conf)
    finally:
        clear(panel.conf)
