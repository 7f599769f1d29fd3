"""Containers with addresses: whom they reach, who reaches them, and whose an address is."""

import os
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from typing import TypedDict

import pytest

from containers.node.errors import OperationError
from containers.node.network import names, reach, record, remove
from containers.node.states import State
from tests.real.rig import Rig

SERVE = "echo i am $(hostname) >/srv/me; httpd -p 7007 -h /srv"
ASK = "wget -q -O - http://{}:7007/me"


class Lan(TypedDict):
    pid: int
    neighbour: str
    free: str


@pytest.fixture
def pair(rig: Rig, networked: IPv4Network, bare_ctid: int, ctid: int) -> dict[int, str]:
    """Two running containers with an address each, serving their names on port 7007."""
    made = {}
    for number in (ctid, bare_ctid):
        address = f"{networked.network_address + number}"
        spec = {"ips": [address], "hostname": f"ct{number}"}
        rig.write(number, "start", SERVE)
        if number == bare_ctid:
            assert rig.operate("create", number, spec=spec).code == 0
        started = rig.operate("start", number, spec=spec)
        assert started.code == 0, started.log
        made[number] = address
    return made


def test_two_containers_talk_to_each_other_and_the_node_to_both(
    rig: Rig, pair: dict[int, str]
) -> None:
    (one, first), (two, second) = pair.items()
    assert ask(rig, one, second) == f"i am ct{two}\n"
    assert ask(rig, two, first) == f"i am ct{one}\n"
    for number, address in pair.items():
        assert node_asks(address) == f"i am ct{number}\n"


@pytest.fixture(params=["nft", "iptables"])
def firewall(request: pytest.FixtureRequest, rig: Rig, networked: IPv4Network) -> Iterator[str]:
    """The node as if it had this one; its rules on who reaches whom are gone afterwards."""
    before = record.load(rig.conf)
    record.save(rig.conf, replace(before, firewall=request.param))
    try:
        try:
            reach.apply(rig.conf, ())
        except OperationError as error:
            pytest.skip(f"no NAT: {error}")
        yield request.param
    finally:
        reach.apply(rig.conf, None)
        assert reach.stands(rig.conf, None)
        record.save(rig.conf, before)


def test_containers_reach_one_another_only_within_a_group(
    rig: Rig, firewall: str, pair: dict[int, str]
) -> None:
    (one, first), (two, second) = pair.items()
    for groups, there, back in (
        ((), "", ""),
        (((one, two),), f"i am ct{two}\n", f"i am ct{one}\n"),
        (((one, 990), (two, 991)), "", ""),
    ):
        reach.apply(rig.conf, groups)
        assert reach.stands(rig.conf, groups)
        assert (shortly(rig, one, second), shortly(rig, two, first)) == (there, back)
        assert node_asks(first) == f"i am ct{one}\n"
    gone = [change.said for change in remove.changes(rig.conf, record.load(rig.conf))]
    assert any(reach.table(rig.conf) in said for said in gone)
    reach.apply(rig.conf, None)
    assert shortly(rig, one, second) == f"i am ct{two}\n"


def shortly(rig: Rig, ctid: int, address: str) -> str:
    """What is answered there within a second."""
    return rig.inside(ctid, "timeout", "1", *ASK.format(address).split()).replace(
        "Terminated\n", ""
    )


def test_neither_can_use_the_others_address(rig: Rig, pair: dict[int, str]) -> None:
    (one, first), (two, _) = pair.items()
    assert rig.inside(two, "ip", "addr", "add", f"{first}/32", "dev", "eth0") == ""

    assert node_asks(first) == f"i am ct{one}\n", "what is sent there does not go astray"
    said = ask(rig, two, first)
    assert said == f"i am ct{two}\n", "in itself it may call itself anything"
    assert ping(rig, two, gateway_of(rig), source=first) is False


def test_a_container_reaches_no_socket_of_the_nodes_own(rig: Rig, pair: dict[int, str]) -> None:
    one, _ = pair
    with socket.socket() as own:
        own.bind(("0.0.0.0", 0))
        own.listen()
        port = own.getsockname()[1]
        for target in (gateway_of(rig), another_address()):
            command = f"nc -w 1 {target} {port} </dev/null && echo reached"
            assert "reached" not in rig.inside(one, "sh", "-c", command)
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
    assert ping(rig, one, gateway_of(rig))


def test_an_address_outside_the_pool_is_seen_as_it_is_by_a_neighbour(
    rig: Rig, ctid: int, networked: IPv4Network, lan: Lan
) -> None:
    real = lan["free"]
    started = rig.operate("start", ctid, spec={"ips": [real]})
    assert started.code == 0, started.log
    rig.inside(ctid, "sh", "-c", SERVE)

    here = ["nsenter", f"--net=/proc/{lan['pid']}/ns/net", "busybox"]
    asked = [*here, *ASK.format(real).split()]

    def answer() -> str:
        return subprocess.run(asked, capture_output=True, text=True, timeout=20).stdout

    rig.wait_for(lambda: answer() == f"i am ct{ctid}\n", "an answer without a route to the node")

    heard = subprocess.Popen(
        [*here, "nc", "-l", "-p", "7008", "-e", "sh", "-c", 'busybox netstat -tn | grep ":7008 "'],
        stdin=subprocess.DEVNULL,
    )
    try:
        asked = ["sh", "-c", f"nc -w 2 {lan['neighbour']} 7008 </dev/null"]
        rig.wait_for(lambda: f":{real}:" in rig.inside(ctid, *asked), "its own address to be seen")
    finally:
        heard.kill()
        heard.wait()


def test_an_address_in_use_is_78_wherever_it_is_asked_for(
    rig: Rig, pair: dict[int, str], networked: IPv4Network
) -> None:
    (one, first), (two, second) = pair.items()
    other = 990 + os.getpid() % 10
    created = rig.operate("create", other, spec={"ips": [first]})
    assert created.code == 78
    assert created.end["error"].startswith(f"The address {first} is in use: container {one} has it")
    assert not rig.paths(other).private.exists()

    changed = rig.operate("set", two, spec={"ips": [second, first], "hostname": f"ct{two}"})
    assert (changed.code, changed.state) == (78, State.RUNNING)

    assert rig.operate("stop", two, fast=True).code == 0
    started = rig.operate("start", two, spec={"ips": [first]})
    assert (started.code, started.state) == (78, State.STOPPED)
    assert "start" not in started.scripts

    gateway = rig.operate("set", two, spec={"ips": [gateway_of(rig)]})
    assert gateway.code == 78


@pytest.mark.parametrize("how", ["stop", "stop --fast", "kill", "destroy"])
def test_an_address_is_free_again_once_its_container_has_gone(
    rig: Rig, pair: dict[int, str], how: str
) -> None:
    (one, first), (two, second) = pair.items()
    if how == "kill":
        os.kill(rig.init(one).pid, signal.SIGKILL)
        rig.wait_for(lambda: rig.state(one) is State.MOUNTED, "its init to end")
        assert rig.operate("halted", one, spec={"ips": [first]}).code == 0
    else:
        assert rig.operate("stop", one, spec={"ips": [first]}, fast="fast" in how).code == 0
    if how == "destroy":
        assert rig.operate("destroy", one).code == 0

    taken = rig.operate("set", two, spec={"ips": [second, first], "hostname": f"ct{two}"})

    assert taken.code == 0, taken.log
    assert node_asks(first) == f"i am ct{two}\n"


def test_an_address_of_a_killed_container_is_free_before_anybody_tidies_up(
    rig: Rig, pair: dict[int, str]
) -> None:
    (one, first), (two, second) = pair.items()
    link = names.veth(rig.conf, one)
    os.kill(rig.init(one).pid, signal.SIGKILL)
    rig.wait_for(lambda: not os.path.exists(f"/sys/class/net/{link}"), "its link to go")

    taken = rig.operate("set", two, spec={"ips": [second, first], "hostname": f"ct{two}"})
    assert taken.code == 0, taken.log


def test_a_failed_start_frees_its_address(rig: Rig, pair: dict[int, str]) -> None:
    (one, first), (two, second) = pair.items()
    assert rig.operate("stop", one, spec={"ips": [first]}).code == 0
    rig.write(one, "start", "exit 1")
    assert rig.operate("start", one, spec={"ips": [first]}).code == 79

    taken = rig.operate("set", two, spec={"ips": [second, first], "hostname": f"ct{two}"})
    assert taken.code == 0, taken.log


@pytest.fixture
def lan() -> Iterator[Lan]:
    """A neighbour of the node's, on a network of theirs."""
    number = os.getpid() % 512
    net, link = f"198.{18 + number // 256}.{number % 256}", f"n{uuid.uuid4().hex[:8]}"
    neighbour = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{neighbour.pid}/ns/net") == own:
            os.sched_yield()
        inside = ["nsenter", f"--net=/proc/{neighbour.pid}/ns/net"]
        for command in (
            f"ip link add name {link} up type veth peer name eth0 netns {neighbour.pid}".split(),
            f"ip addr add {net}.1/24 dev {link}".split(),
            [*inside, "ip", "link", "set", "lo", "up"],
            [*inside, "ip", "link", "set", "eth0", "up"],
            [*inside, *f"ip addr add {net}.9/24 dev eth0".split()],
        ):
            subprocess.run(command, check=True)
        yield {"pid": neighbour.pid, "neighbour": f"{net}.9", "free": f"{net}.5"}
    finally:
        subprocess.run(["ip", "link", "del", link], check=False, stderr=subprocess.DEVNULL)
        neighbour.kill()
        neighbour.wait()


def ask(rig: Rig, ctid: int, address: str) -> str:
    return rig.inside(ctid, "sh", "-c", ASK.format(address))


def node_asks(address: str) -> str:
    argv = ["busybox", *ASK.format(address).split()]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout


def ping(rig: Rig, ctid: int, address: str, source: str | None = None) -> bool:
    how = ["-I", source] if source else []
    return " 0% packet loss" in rig.inside(ctid, "ping", "-c1", "-W1", *how, address)


def gateway_of(rig: Rig) -> str:
    return f"{record.load(rig.conf).network.network_address + 1}"


def another_address() -> str:
    """One of the node's own, but for loopback; the gateway's again if it has no other."""
    said = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True)
    found = [line.split()[3].partition("/")[0] for line in said.stdout.splitlines()]
    return next(address for address in found if not address.startswith("127."))
