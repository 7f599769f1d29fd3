"""Real systems and servers over a snapshot: what they hold in memory is there again."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any, Protocol

import pytest

from containers.node.states import State
from containers.node.templates.catalogue import Template
from tests.real.conftest import CTIDS
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import Kept, fresh, take

pytestmark = [pytest.mark.criu, pytest.mark.timeout(900)]
UP = State.RUNNING
KEYS = 200_000


class Machine:
    """A container of Debian's with an address, operated with one specification."""

    def __init__(self, rig: Rig, ctid: int, template: str, address: str, hostname: str) -> None:
        self.rig, self.ctid, self.address = rig, ctid, address
        self.spec: dict[str, Any] = {"template": template, "ips": [address], "hostname": hostname}

    def operate(self, plan: str, **params: Any) -> Outcome:
        done = self.rig.operate(plan, self.ctid, spec=self.spec, **params)
        assert done.code == 0, done.log
        return done

    def take(self, **params: Any) -> Kept:
        return take(self.rig, self.ctid, spec=self.spec, **params)

    def inside(self, *command: str, ok: tuple[int, ...] = (0,)) -> str:
        argv = ["runc", "--root", f"{self.rig.paths(self.ctid).runc_root}", "exec", f"{self.ctid}"]
        done = subprocess.run([*argv, *command], capture_output=True, text=True, timeout=60)
        return done.stdout.strip()

    def until(self, happened: Callable[[], object], what: str, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while not happened():
            assert time.monotonic() < deadline, f"waited {patience} s for {what}"
            time.sleep(0.1)  # it can't tell us

    def redis(self, *words: str) -> str:
        return self.inside("redis-cli", *words)


class Make(Protocol):
    def __call__(self, template: str, hostname: str = ..., start: bool = ...) -> Machine: ...


@pytest.fixture
def machines(criu: str, rig: Rig, networked: IPv4Network) -> Iterator[Make]:
    """Makes containers of a template, started; gone afterwards."""
    made: list[int] = []

    def make(template: str, hostname: str = "replaced", start: bool = True) -> Machine:
        number = next(CTIDS)
        address = f"{networked.network_address + 60 + len(made)}"
        machine = Machine(rig, number, template, address, hostname)
        made.append(number)
        if start:
            machine.operate("create")
            machine.operate("start")
        return machine

    yield make
    for number in made:
        rig.clear(number)


def http(address: str) -> bool:
    try:
        with socket.create_connection((address, 80), timeout=2) as line:
            line.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return line.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def serves(machine: Machine) -> bool:
    return (
        machine.redis("ping") == "PONG"
        and "accepting" in machine.inside("pg_isready")
        and http(machine.address)
    )


@pytest.fixture
def servers(machines: Make, debian_workload: Template) -> Machine:
    """nginx, redis with its keys, postgres with a session that has a temporary table."""
    machine = machines(debian_workload.name)
    machine.until(lambda: serves(machine), "the servers")
    machine.redis("eval", f"for i = 1, {KEYS} do redis.call('set', 'key:' .. i, i) end", "0")
    machine.redis("config", "set", "save", "")
    machine.inside("su", "postgres", "-c", SESSION)
    machine.until(lambda: machine.inside("cat", "/tmp/answer") == "1", "the session")
    return machine


# A client of its own in the container, that answers with what is in its temporary table.
SESSION = """(rm -f /tmp/ask /tmp/answer; mkfifo /tmp/ask
  { echo 'CREATE TEMPORARY TABLE kept (n int);'
    while read -r n </tmp/ask; do
      echo "INSERT INTO kept VALUES ($n);"
      echo '\\o /tmp/answer.new'; echo 'SELECT count(*) FROM kept;'; echo '\\o'
      echo '\\! mv /tmp/answer.new /tmp/answer'
    done; } | psql -Atq >/dev/null 2>&1
) </dev/null >/dev/null 2>&1 & sleep 1; echo 1 >/tmp/ask"""


def asked(machine: Machine, expected: int) -> None:
    machine.inside("su", "postgres", "-c", "echo 1 >/tmp/ask")
    machine.until(lambda: machine.inside("cat", "/tmp/answer") == f"{expected}", "the session")


@pytest.mark.long
def test_servers_are_kept_over_a_kill_and_a_restore_to_an_earlier_point(servers: Machine) -> None:
    run_id = run_of(servers)
    kept = servers.take()
    assert kept.verify().answer == "ok", kept.verify()
    assert servers.redis("dbsize") == f"{KEYS}"
    servers.redis("flushall")
    asked(servers, 2)
    asked(servers, 3)

    with socket.create_connection((servers.address, 80), timeout=5) as line:
        servers.operate("restore", **kept.params, safety=fresh())
        line.settimeout(5)

    assert servers.redis("dbsize") == f"{KEYS}"
    assert servers.redis("get", f"key:{KEYS}") == f"{KEYS}"
    assert run_of(servers) == run_id
    asked(servers, 2)
    assert serves(servers)


def run_of(machine: Machine) -> str:
    return machine.inside("sh", "-c", "redis-cli info server | grep run_id")


@pytest.mark.long
def test_a_client_of_redis_goes_on_over_a_restore_in_place(servers: Machine) -> None:
    servers.redis("config", "set", "protected-mode", "no")
    servers.redis("config", "set", "bind", "0.0.0.0")
    with socket.create_connection((servers.address, 6379), timeout=10) as line:
        assert said(line, b"GET key:7\r\n") == b"$1\r\n7\r\n"
        kept = servers.take()
        servers.operate("restore", **kept.params, safety=fresh())
        assert said(line, b"GET key:77\r\n") == b"$2\r\n77\r\n"


def said(line: socket.socket, words: bytes) -> bytes:
    line.settimeout(20)
    line.sendall(words)
    return line.recv(100)


@pytest.mark.long
def test_servers_listen_in_a_clone(servers: Machine, machines: Make) -> None:
    kept = servers.take()
    clone = machines(servers.spec["template"], "clone", start=False)
    clone.spec["state"] = "creating"

    clone.operate("clone", source=servers.ctid, processes=True, **kept.params)

    clone.until(lambda: serves(clone), "the clone's servers")
    assert clone.redis("dbsize") == f"{KEYS}"
    assert clone.inside("hostname") == "clone"
    assert clone.inside("cat", "/etc/machine-id") != servers.inside("cat", "/etc/machine-id")
    assert serves(servers)


@pytest.mark.long
def test_a_session_from_outside_the_tree_is_a_clear_reason(servers: Machine) -> None:
    """psql of an exec session, connected by a unix socket to a server that would be dumped."""
    paths = servers.rig.paths(servers.ctid)
    argv = ["runc", "--root", f"{paths.runc_root}", "exec", f"{servers.ctid}",
            "su", "postgres", "-c", "psql -c 'SELECT pg_sleep(600)'"]  # fmt: skip
    session = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        servers.until(lambda: "[local] SELECT" in servers.inside("ps", "axww"), "the session")
        refused = servers.rig.operate("snapshot", servers.ctid, spec=servers.spec, snapshot=fresh())
        assert (refused.code, refused.state) == (16, UP)
        assert "the process postgres (" in refused.end["error"]
        assert ".s.PGSQL.5432 to psql (" in refused.end["error"]
        assert "which an exec session runs: end that first" in refused.end["error"]
        assert serves(servers)
    finally:
        session.kill()
        session.wait()


def test_debian_with_sysvinit_is_kept(machines: Make, debian_template: Template) -> None:
    machine = machines(debian_template.name)
    pid = "cat /run/sshd.pid 2>/dev/null || true"  # its script tries sshd -t before
    machine.until(lambda: machine.inside("sh", "-c", pid), "sshd")
    before = machine.inside("sh", "-c", pid)
    kept = machine.take()
    assert (kept.verify().answer, kept.verify().reasons) == ("ok", ())

    machine.operate("restore", **kept.params, safety=fresh())

    assert machine.inside("sh", "-c", "pgrep -o sshd") == before
    with socket.create_connection((machine.address, 22), timeout=5) as line:
        assert line.recv(20).startswith(b"SSH-2.0")
    machine.operate("suspend")
    machine.operate("resume")
    assert machine.inside("sh", "-c", "pgrep -o sshd") == before
    assert "it is killed" not in machine.operate("stop").log


def test_the_sshd_of_a_clone_answers_with_host_keys_of_its_own(
    machines: Make, debian_template: Template
) -> None:
    source = machines(debian_template.name)
    source.until(lambda: host_key(source), "sshd")
    before, kept = host_key(source), source.take()
    clone = machines(debian_template.name, "clone", start=False)
    clone.spec["state"] = "creating"

    clone.operate("clone", source=source.ctid, processes=True, **kept.params)

    own = (clone.rig.paths(clone.ctid).fs / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    clone.until(lambda: host_key(clone) == own.split()[1], "the clone's sshd")
    assert host_key(source) == before != host_key(clone)


def host_key(machine: Machine) -> str:
    """What it shows to those who connect."""
    argv = ["ssh-keyscan", "-T", "5", "-t", "ed25519", machine.address]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    keys = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return "".join("".join(keys).split()[2:3])


def test_debian_with_systemd_is_kept_and_its_verdict_says_what_is_uncertain(
    machines: Make, debian_systemd_template: Template
) -> None:
    machine = machines(debian_systemd_template.name)
    running = ("running", "degraded")
    machine.until(lambda: machine.inside("systemctl", "is-system-running") in running, "systemd")
    kept = machine.take()
    verdict = kept.verify()
    assert (verdict.answer, len(verdict.reasons)) == ("can't tell", 1)
    assert verdict.reasons[0].fault == "systemd"

    machine.operate("restore", **kept.params, safety=fresh())

    machine.until(lambda: machine.inside("systemctl", "is-system-running") in running, "systemd")
    assert machine.inside("systemctl", "is-active", "ssh") == "active"
    with socket.create_connection((machine.address, 22), timeout=5) as line:
        assert line.recv(20).startswith(b"SSH-2.0")
    assert "it is killed" not in machine.operate("stop").log
