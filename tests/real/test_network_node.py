"""What containers can reach, be reached by, and pretend: with real namespaces and rules."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import Code, OperationError
from containers.node.network import iptables, live, names, nft, prepare, record, remove, taken
from containers.node.network.addresses import parse
from containers.node.network.hook import fault, hook
from containers.node.network.neighbours import answers
from containers.node.network.rules import Command

pytestmark = pytest.mark.real

RUN = os.getpid() % 512  # other runs may share the machine
SLACK = 5  # the kernel forgets to count one now and then, when it clears up
LAN, LAN_NAME = f"198.{18 + RUN // 256}.{RUN % 256}", f"lan{os.getpid()}"
LAN6 = f"2001:2:0:{RUN:x}:"
NODE_LAN, NEIGHBOUR, REAL, REAL2, FREE = (f"{LAN}.{n}" for n in (1, 9, 5, 6, 200))
NODE_LAN6, NEIGHBOUR6, REAL6, REAL26, FREE6 = (f"{LAN6}:{n}" for n in (1, 9, 5, 6, 200))
PORT = 20000 + os.getpid() % 10000  # on the node itself, too
ELSEWHERE = f"100.{64 + RUN // 256}.{RUN % 256}.1"  # the neighbour's, in no network of the node's

# Answers each datagram with the address it came from, and prints that too.
ECHO = (
    f"PORT = {PORT}\n"
    + """
import socket, sys
kind = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
sock = socket.socket(kind, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], PORT))
print("ready", flush=True)
while True:
    data, sender = sock.recvfrom(100)
    print(sender[0], flush=True)
    sock.sendto(sender[0].encode(), sender)
"""
)
# Asks such an echo until it answers; neighbour discovery through a proxy may take a second.
ASK = (
    f"PORT = {PORT}\n"
    + """
import socket, sys, time
kind = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
sock = socket.socket(kind, socket.SOCK_DGRAM)
sock.settimeout(0.2)
if sys.argv[2]:
    sock.bind((sys.argv[2], 0))
end = time.monotonic() + float(sys.argv[3])
answer = "nobody"
while answer == "nobody" and time.monotonic() < end:
    try:
        sock.sendto(b"who am I", (sys.argv[1], PORT))
        answer = sock.recvfrom(100)[0].decode()
    except ConnectionRefusedError:
        break
    except OSError:
        pass
print(answer)
"""
)
# Begins as many connections as it is told, and prints how many were answered; the last line is
# whether the first of them still is.
BEGIN = (
    f"PORT = {PORT}\n"
    + """
import select, socket, sys
def ask(sock, patience):
    sock.sendto(b"who am I", (sys.argv[1], PORT))
    return bool(select.select([sock], [], [], patience)[0]) and bool(sock.recv(100))
socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(int(sys.argv[2]))]
print(sum(ask(sock, 2 if sock is socks[0] else 0.02) for sock in socks))
print(ask(socks[0], 2))
"""
)


@dataclass
class Space:
    """A process in a network namespace of its own."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def argv(self, *argv: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *argv]

    def run(self, *argv: str) -> str:
        return subprocess.run(
            self.argv(*argv), check=True, capture_output=True, text=True, timeout=20
        ).stdout

    def asks(self, address: str, *, source: str = "", patience: float = 8) -> str:
        """As whom the echo at the address sees it; "nobody" without an answer."""
        return self.run(sys.executable, "-c", ASK, address, source, f"{patience}").strip()


def node_asks(address: str, patience: float = 8) -> str:
    return subprocess.run(
        [sys.executable, "-c", ASK, address, "", f"{patience}"],
        check=True, capture_output=True, text=True, timeout=20,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as things:
        yield things


@pytest.fixture
def conf(tmp_path: Path) -> Iterator[NodeConf]:
    state = tmp_path / "state"
    conf = NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")
    yield conf
    remove.remove(conf)
    shutil.rmtree(conf.run, ignore_errors=True)


@pytest.fixture
def node(conf: NodeConf) -> NodeConf:
    prepare.prepare(conf)
    found = record.load(conf)
    if found.without:
        pytest.skip(found.without)
    return conf


@pytest.fixture
def few(conf: NodeConf) -> int:
    """How many connections the node keeps track of for a container."""
    conf.etc.mkdir(parents=True)
    conf.vz_conf.write_text('CONNTRACK="50"\n')
    return 50


@pytest.fixture(params=["nft", "iptables"])
def guarded(node: NodeConf, request: pytest.FixtureRequest) -> Iterator[NodeConf]:
    """A node whose rules are nft's, and one whose rules are iptables'."""
    if request.param == "nft":
        yield node
        return
    wanted = prepare.rules(node, record.load(node).network)
    act(nft.remove(wanted))
    act(iptables.install(wanted))
    yield node
    act(iptables.remove(wanted))


def act(commands: list[Command]) -> None:
    for command in commands:
        done = subprocess.run(command.argv, input=command.stdin.encode(), capture_output=True)
        assert done.returncode in command.ok, done.stderr


Make = Callable[..., Space]


@pytest.fixture
def space(stack: contextlib.ExitStack) -> Make:
    def make(*options: str) -> Space:
        process = subprocess.Popen(["unshare", "--net", *options, "sleep", "600"])
        stack.callback(end, process)
        until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        return Space(process)

    return make


@pytest.fixture
def container(node: NodeConf, space: Make) -> Make:
    """Emulated: a network namespace that the hook is run on, as runc would."""

    def make(ctid: int, *addresses: str, options: tuple[str, ...] = ()) -> Space:
        made = space(*options)
        done = run_hook(node, ctid, addresses, made.pid)
        assert done.returncode == 0, done.stderr
        return made

    return make


@pytest.fixture
def echo(stack: contextlib.ExitStack) -> Callable[[Space | None, str], Callable[[], str]]:
    """Start an echo; returns what waits for the next one that it has heard."""

    def listen(where: Space | None, address: str) -> Callable[[], str]:
        argv = [sys.executable, "-c", ECHO, address]
        process = subprocess.Popen(
            where.argv(*argv) if where else argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        stack.callback(end, process)
        assert process.stdout
        said = process.stdout
        assert said.readline() == b"ready\n"
        return lambda: said.readline().decode().strip()

    return listen


@pytest.fixture
def lan(space: Make, stack: contextlib.ExitStack) -> Space:
    """A neighbour on a network of the node's."""
    neighbour = space()
    for command in (
        f"ip link add name {LAN_NAME} up type veth peer name eth0 netns {neighbour.pid}",
        f"ip addr add {NODE_LAN}/24 dev {LAN_NAME}",
        f"ip -6 addr add {NODE_LAN6}/64 dev {LAN_NAME} nodad",
        f"ip route add {ELSEWHERE}/32 via {NEIGHBOUR}",
    ):
        subprocess.run(command.split(), check=True)
    stack.callback(subprocess.run, ["ip", "link", "del", LAN_NAME], stderr=subprocess.DEVNULL)
    for command in (
        "ip link set lo up", "ip link set eth0 up",
        f"ip addr add {NEIGHBOUR}/24 dev eth0", f"ip addr add {ELSEWHERE}/32 dev eth0",
        f"ip -6 addr add {NEIGHBOUR6}/64 dev eth0 nodad",
    ):  # fmt: skip
        neighbour.run(*command.split())
    return neighbour


def run_hook(
    node: NodeConf, ctid: int, addresses: tuple[str, ...], pid: int
) -> subprocess.CompletedProcess[str]:
    entry = hook(node, ctid, addresses)
    state = {
        "ociVersion": "1.0.2", "id": f"{ctid}", "status": "creating", "pid": pid,
        "bundle": '/tmp/a "pid": 1', "annotations": {"pid": "1"},
    }  # fmt: skip
    return subprocess.run(
        entry["args"], executable=entry["path"], input=json.dumps(state), text=True,
        env=dict(word.split("=", 1) for word in entry["env"]), capture_output=True, timeout=20,
    )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def until(true: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ours(said: list[str]) -> list[str]:
    """Another run on this machine may have left something too."""
    return [line for line in said if "answers no longer" not in line or LAN_NAME in line]


def pool_address(node: NodeConf, number: int) -> str:
    return f"{record.load(node).network.network_address + number}"


def gateway(node: NodeConf) -> str:
    return pool_address(node, 1)


def test_the_node_reaches_a_container_and_it_reaches_the_other_one(
    node: NodeConf, container: Make, echo: Callable[[Space | None, str], Callable[[], str]]
) -> None:
    one, two = pool_address(node, 101), pool_address(node, 102)
    alpha, beta = container(101, one), container(102, two)
    echo(alpha, one)
    assert node_asks(one) == gateway(node)
    assert beta.asks(one) == two
    beta.run("ping", "-c1", "-W2", gateway(node))


def test_a_container_reaches_no_port_of_the_node_on_any_of_its_addresses(
    guarded: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    one = pool_address(guarded, 101)
    alpha = container(101, one, REAL6)
    echo(None, "::")
    for address in (gateway(guarded), NODE_LAN, NODE_LAN6, "fe80::1%eth0"):
        assert alpha.asks(address, patience=0.4) == "nobody"
    assert lan.asks(NODE_LAN) == f"::ffff:{NEIGHBOUR}", "others still reach the node"


def test_nothing_leaves_a_container_but_from_its_own_addresses(
    guarded: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    one, two, two6 = pool_address(guarded, 101), REAL2, REAL26
    container(101, one, REAL, REAL6)
    thief = container(102, two, two6)
    heard, heard6 = echo(lan, ELSEWHERE), echo(lan, NEIGHBOUR6)
    for stolen in (one, REAL, NODE_LAN, NEIGHBOUR, "203.0.113.66"):
        thief.run("ip", "addr", "add", f"{stolen}/32", "dev", "eth0")
        assert thief.asks(ELSEWHERE, source=stolen, patience=0.4) == "nobody"
    for stolen in (REAL6, NODE_LAN6, "2001:db8::66"):
        thief.run("ip", "addr", "add", f"{stolen}/128", "dev", "eth0", "nodad")
        assert thief.asks(NEIGHBOUR6, source=stolen, patience=0.4) == "nobody"
    assert thief.asks(ELSEWHERE, source=two) == two
    assert thief.asks(NEIGHBOUR6, source=two6) == two6
    assert (heard(), heard6()) == (two, two6), "the first that was heard, so nothing before"


def test_who_has_all_the_connections_it_may_have_leaves_the_others_theirs(
    few: int,
    guarded: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    if uncounted := record.load(guarded).uncounted:
        pytest.skip(uncounted)
    alpha, beta = container(101, REAL), container(102, REAL2)
    echo(lan, ELSEWHERE)
    echo(alpha, REAL)
    said = alpha.run(sys.executable, "-c", BEGIN, ELSEWHERE, f"{4 * few}").split()
    assert 1 <= int(said[0]) <= few + SLACK
    assert said[1] == "True", "what it has goes on"
    assert alpha.asks(ELSEWHERE, patience=0.4) == "nobody"
    assert beta.asks(ELSEWHERE) == REAL2

    assert lan.asks(REAL) == NEIGHBOUR, "what others begin is counted apart"
    said = lan.run(sys.executable, "-c", BEGIN, REAL, f"{4 * few}").split()
    assert 1 <= int(said[0]) <= few + SLACK
    assert said[1] == "True"
    assert beta.asks(REAL) == REAL2, "other containers are counted on their own account"


def test_a_taken_over_address_receives_nothing(
    node: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    one = pool_address(node, 101)
    alpha, thief = container(101, one, REAL6), container(102, pool_address(node, 102))
    for stolen, length in ((one, 32), (REAL, 32), (REAL6, 128)):
        thief.run("ip", "addr", "add", f"{stolen}/{length}", "dev", "eth0")
    echo(thief, one)
    echo(thief, REAL)
    assert node_asks(one, patience=0.4) == "nobody"
    assert lan.asks(REAL, patience=0.4) == "nobody"
    echo(alpha, one)
    assert node_asks(one) == gateway(node)
    echo(alpha, REAL6)
    assert lan.asks(REAL6) == NEIGHBOUR6


def test_claiming_an_address_by_arp_changes_nothing(
    node: NodeConf, container: Make, echo: Callable[[Space | None, str], Callable[[], str]]
) -> None:
    one, two = pool_address(node, 101), pool_address(node, 102)
    alpha, thief = container(101, one), container(102, two)
    echo(alpha, one)
    assert node_asks(one) == gateway(node)
    thief.run("ip", "addr", "add", f"{one}/32", "dev", "eth0")
    claim = """
import socket, sys
from containers.node.network.neighbours import HEADER
mac, own = bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton(sys.argv[2])
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
for opcode in (1, 2):
    whole = b"\\xff" * 6
    sock.send(HEADER.pack(whole, mac, 0x806, 1, 0x800, 6, 4, opcode, mac, own, whole, own))
"""
    thief.run(sys.executable, "-c", claim, names.mac(node, 102), one)
    thief.run("ping", "-c1", "-W2", gateway(node))  # so what it sent before has arrived
    said = subprocess.run(["ip", "neigh", "show", one], capture_output=True, text=True).stdout
    assert names.mac(node, 101) in said
    assert names.mac(node, 102) not in said
    assert node_asks(one) == gateway(node)


def test_an_address_of_another_container_is_refused_with_78(
    node: NodeConf, container: Make, space: Make
) -> None:
    one = pool_address(node, 101)
    container(101, one)
    done = run_hook(node, 102, (one,), space().pid)
    assert done.returncode == 1
    error = fault(f"runc create failed: error running hook: stderr: {done.stderr}")
    assert error
    assert (error.code, f"{error}") == (
        Code.ADDRESS_IN_USE, f"The address {one} is in use on this node."
    )  # fmt: skip


def test_a_real_address_is_reached_by_neighbours_and_seen_by_them_as_it_is(
    node: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    alpha = container(101, REAL)
    echo(alpha, REAL)
    echo(lan, NEIGHBOUR)
    assert lan.asks(REAL) == NEIGHBOUR
    assert alpha.asks(NEIGHBOUR) == REAL


def test_a_real_ipv6_address_is_reached_by_neighbours(
    node: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    alpha = container(101, pool_address(node, 101), REAL6)
    echo(alpha, REAL6)
    echo(lan, NEIGHBOUR6)
    assert lan.asks(REAL6) == NEIGHBOUR6
    assert alpha.asks(NEIGHBOUR6) == REAL6


@pytest.mark.nat
def test_an_address_of_the_pool_leaves_as_the_nodes(
    guarded: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    if no_nat := record.load(guarded).no_nat:
        pytest.skip(no_nat)
    one = pool_address(guarded, 101)
    alpha, beta = container(101, one), container(102, REAL)
    echo(lan, ELSEWHERE)
    assert alpha.asks(ELSEWHERE) == NODE_LAN
    echo(beta, REAL)
    assert alpha.asks(REAL) == one, "not towards the node's own containers"


def test_addresses_come_and_go_while_a_container_runs(
    node: NodeConf,
    lan: Space,
    container: Make,
    echo: Callable[[Space | None, str], Callable[[], str]],
) -> None:
    one = pool_address(node, 101)
    alpha = container(101)
    echo(lan, NEIGHBOUR)
    echo(lan, NEIGHBOUR6)
    live.add(node, 101, alpha.pid, one)
    live.add(node, 101, alpha.pid, REAL, beside=[one])
    live.add(node, 101, alpha.pid, REAL6, beside=[one, REAL])
    assert alpha.asks(NEIGHBOUR, source=REAL) == REAL
    assert alpha.asks(NEIGHBOUR6) == REAL6
    echo(alpha, one)
    assert node_asks(one) == gateway(node)
    for address in (REAL, REAL6, one, one):
        live.delete(node, 101, alpha.pid, address)
    assert node_asks(one, patience=0.4) == "nobody"
    assert REAL not in alpha.run("ip", "addr")
    assert REAL not in subprocess.run(
        ["ip", "neigh", "show", "proxy"], capture_output=True, text=True
    ).stdout  # fmt: skip
    live.add(node, 101, alpha.pid, one)
    assert node_asks(one) == gateway(node)


def test_adding_another_containers_address_to_a_running_one_is_refused_with_78(
    node: NodeConf, container: Make
) -> None:
    one = pool_address(node, 101)
    container(101, one)
    beta = container(102)
    with pytest.raises(OperationError, match="is in use on this node") as refusal:
        live.add(node, 102, beta.pid, one)
    assert refusal.value.code == Code.ADDRESS_IN_USE
    assert one not in beta.run("ip", "addr")


def test_after_a_container_its_addresses_are_free_at_once(
    node: NodeConf, lan: Space, container: Make, space: Make
) -> None:
    one = pool_address(node, 101)
    left_behind = container(101, one, REAL, REAL6)
    with live.detaching(node, 101, [one, REAL, REAL6]):
        pass
    for family in ("-4", "-6"):
        argv = ["ip", family, "neigh", "show", "proxy"]
        said = subprocess.run(argv, capture_output=True, text=True).stdout
        assert REAL not in said
        assert REAL6 not in said
    assert run_hook(node, 102, (one, REAL, REAL6), space().pid).returncode == 0
    left_behind.process.kill()
    until(lambda: 101 not in live.links(node))
    with live.detaching(node, 101, [one, REAL, REAL6]):
        pass


def test_a_link_left_over_is_replaced(
    node: NodeConf, container: Make, echo: Callable[[Space | None, str], Callable[[], str]]
) -> None:
    one = pool_address(node, 101)
    container(101, one)
    again = container(101, one)
    echo(again, one)
    assert node_asks(one) == gateway(node)


def test_a_network_namespace_of_a_user_namespace_is_set_up_like_any(
    node: NodeConf, container: Make, echo: Callable[[Space | None, str], Callable[[], str]]
) -> None:
    one = pool_address(node, 101)
    alpha = container(101, one, options=("--user", "--map-root-user"))
    echo(alpha, one)
    assert node_asks(one) == gateway(node)
    argv = [
        "nsenter",
        f"--target={alpha.pid}",
        "--user",
        "--net",
        "ip",
        "link",
        "set",
        "eth0",
        "down",
    ]
    subprocess.run(argv, check=True)
    assert node_asks(one, patience=0.4) == "nobody", "its root may do with it as it likes"


def test_the_node_sees_who_has_an_address(node: NodeConf, lan: Space, container: Make) -> None:
    one = pool_address(node, 101)
    container(101, one, REAL)
    free = pool_address(node, 200)
    said = {
        address: taken.holder(node, 102, parse(address))
        for address in (one, REAL, NODE_LAN, NEIGHBOUR, NEIGHBOUR6, NODE_LAN6, gateway(node),
                        free, FREE, FREE6, ELSEWHERE)
    }  # fmt: skip
    assert said == {
        one: "container 101 has it",
        REAL: "container 101 has it",
        NODE_LAN: "it is the node's own",
        NEIGHBOUR: f"a machine on {LAN_NAME} answers for it",
        NEIGHBOUR6: f"a machine on {LAN_NAME} answers for it",
        NODE_LAN6: "it is the node's own",
        gateway(node): "it is the node's own",
        free: "",
        FREE: "",
        FREE6: "",
        ELSEWHERE: f"the node routes it to {LAN_NAME}",
    }
    assert taken.holder(node, 101, parse(REAL)) == "", "its own is no hindrance"
    with pytest.raises(OperationError, match=f"{NEIGHBOUR} is in use: a machine") as refusal:
        taken.require_free(node, 102, [free, NEIGHBOUR])
    assert refusal.value.code == Code.ADDRESS_IN_USE
    assert not answers(parse(NEIGHBOUR), "nosuch0")


def test_prepare_changes_what_it_planned_and_nothing_the_second_time(conf: NodeConf) -> None:
    planned = ours(prepare.plan(conf))
    assert not record.path(conf).exists()
    assert not conf.vz_conf.exists()
    assert ours(prepare.prepare(conf)) == planned
    assert ours(prepare.prepare(conf)) == []
    assert ours(prepare.plan(conf)) == []


def test_rules_that_others_flushed_come_back(
    node: NodeConf, container: Make, echo: Callable[[Space | None, str], Callable[[], str]]
) -> None:
    alpha = container(101, pool_address(node, 101), REAL6)
    echo(None, "::")
    subprocess.run(["nft", "delete", "table", "inet", names.table(node)], check=True)
    assert alpha.asks(gateway(node)) == f"::ffff:{pool_address(node, 101)}"
    assert alpha.asks("fe80::1%eth0") == REAL6
    assert len(ours(prepare.prepare(node))) == 1
    assert alpha.asks(gateway(node), patience=0.4) == "nobody"


def test_prepare_drops_what_a_dead_container_left(
    node: NodeConf, lan: Space, container: Make
) -> None:
    alpha = container(101, REAL, REAL6)
    assert ours(prepare.prepare(node)) == []
    end(alpha.process)
    until(lambda: not live.links(node))
    said = prepare.prepare(node)
    assert f"the node answers no longer for {REAL6} on {LAN_NAME}: no container has it" in said
    assert prepare.prepare(node) == []


# In a machine of its own, as far as its network goes: prints it before, during and after.
REMOVING = """
import json, subprocess, sys
from pathlib import Path
from containers.node.conf import NodeConf
from containers.node.network import prepare, record, remove
from containers.node.network.hook import hook

def machine():
    commands = ("nft list ruleset", "ip route", "ip -6 route show table all", "ip -o link",
                "ip neigh show proxy", "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding")
    return [subprocess.check_output(c.split(), text=True) for c in commands]

state, pid = Path(sys.argv[1]), sys.argv[2]
conf = NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")
before = machine()
prepare.prepare(conf)
entry = hook(conf, 101, [f"{record.load(conf).network[101]}", "198.51.100.5", "2001:db8::5"])
subprocess.run(entry["args"], input=json.dumps({"pid": int(pid)}).encode(), check=True)
during = machine()
remove.remove(conf)
print(json.dumps([before, during, machine(), remove.remove(conf)]))
"""


def test_removing_leaves_the_machine_as_it_was(space: Make, tmp_path: Path) -> None:
    alone = space()
    setting = (
        "mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; ip link set lo up;"
        "ip link add name up0 up type veth peer name up1; ip link set up1 up;"
        "ip addr add 192.0.2.77/24 dev up0;"
        'ip route add default via 192.0.2.78; ip -6 route add default dev up0; exec "$@"'
    )
    said = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", setting, "sh",
         sys.executable, "-c", REMOVING, f"{tmp_path}/state", f"{alone.pid}"],
        check=True, stdout=subprocess.PIPE, timeout=60,
    ).stdout  # fmt: skip
    before, during, after, again = json.loads(said)
    for was, became, now in zip(before, during, after, strict=True):
        assert was != became
        assert now == was
    assert again == []


def test_where_the_network_was_not_prepared_a_container_has_loopback_only(
    conf: NodeConf, space: Make
) -> None:
    alone = space()
    assert run_hook(conf, 101, (), alone.pid).returncode == 0
    alone.run("ping", "-c1", "-W2", "127.0.0.1")
    assert [link["ifname"] for link in json.loads(alone.run("ip", "-json", "link"))] == ["lo"]


def test_a_state_without_a_pid_is_an_error_that_says_so(node: NodeConf) -> None:
    entry = hook(node, 101, [])
    done = subprocess.run(
        entry["args"], executable=entry["path"], input='{"id": "101"}', text=True,
        capture_output=True, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "nethook: the container's state names no pid\n")


def test_runc_runs_the_hook(
    node: NodeConf,
    echo: Callable[[Space | None, str], Callable[[], str]],
    tmp_path: Path,
    stack: contextlib.ExitStack,
) -> None:
    one = pool_address(node, 101)
    bundle, name = tmp_path / "bundle", f"net-{node.instance}"
    (bundle / "rootfs/bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", bundle / "rootfs/bin/busybox")
    runc = ["runc", "--root", f"{tmp_path}/runc"]
    subprocess.run([*runc, "spec", "--bundle", f"{bundle}"], check=True)
    config = json.loads((bundle / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/busybox", "sleep", "600"]}
    config["hooks"] = {"createRuntime": [hook(node, 101, [one])]}
    config["linux"]["cgroupsPath"] = f"/panel/{node.instance}/101"
    (bundle / "config.json").write_text(json.dumps(config))
    stack.callback(rmdir_cgroups, node.instance)
    stack.callback(subprocess.run, [*runc, "delete", "--force", name], check=True)
    subprocess.run(
        [*runc, "run", "--detach", "--bundle", f"{bundle}", name],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    subprocess.run(["ping", "-c1", "-W2", one], check=True, stdout=subprocess.DEVNULL)


def rmdir_cgroups(instance: str) -> None:
    for path in Path("/sys/fs/cgroup").glob(f"**/panel/{instance}"):
        with contextlib.suppress(FileNotFoundError):  # two names of one hierarchy
            path.rmdir()
        with contextlib.suppress(OSError):  # another panel's is below it
            path.parent.rmdir()


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., str]:
    """What would be changed on a machine that has only these programs."""

    def plan(*programs: str, by: tuple[str, ...] = (), **scripts: str) -> str:
        path = tmp_path / "bin"
        path.mkdir()
        for program in ("unshare", "ip", *programs):
            (path / program).symlink_to(f"{shutil.which(program)}")
        for name, text in scripts.items():
            (path / name).write_text(text)
            (path / name).chmod(0o755)
        return subprocess.run(
            [*by, sys.executable, "-m", "containers.node.network", "--plan"],
            env={"PATH": f"{path}", "PANEL_STATE_DIR": f"{tmp_path}/state"},
            check=True, capture_output=True, text=True, timeout=60,
        ).stdout  # fmt: skip

    return plan


def test_without_nftables_its_rules_are_iptables(planned: Callable[..., str]) -> None:
    said = planned("iptables", "iptables-restore", "ip6tables", "ip6tables-restore")
    assert "the iptables chains panel_" in said
    assert "connections each" in said
    assert ", with NAT for 10." in said


def test_where_no_firewall_works_containers_have_loopback_only(planned: Callable[..., str]) -> None:
    assert planned().startswith(
        "containers have loopback only: nothing here can keep them from reaching the node itself"
        " (nft: The command unshare ended with exit code 127"
    )


def test_where_no_link_can_be_made_containers_have_loopback_only(
    planned: Callable[..., str],
) -> None:
    setpriv = (f"{shutil.which('setpriv')}", "--bounding-set=-net_admin")
    said = planned("nft", by=setpriv)
    assert said.startswith(
        "containers have loopback only: this machine makes no veth pairs (The command unshare ended"
    )
    assert len(said.splitlines()) == 1


def test_where_connections_cannot_be_counted_containers_have_all_the_rest(
    planned: Callable[..., str],
) -> None:
    nft = f"""#!/bin/bash
text=$(</dev/stdin)
case $text in *"ct count"*) echo "no counting today" >&2; exit 1;; esac
exec {shutil.which("nft")} "$@" <<< "$text"
"""
    said = planned(nft=nft)
    assert "the nftables table inet panel_" in said
    assert "at most" not in said


def test_where_nat_is_forbidden_containers_have_all_the_rest(planned: Callable[..., str]) -> None:
    nft = f"""#!/bin/bash
text=$(</dev/stdin)
case $text in *masquerade*) echo "no NAT today" >&2; exit 1;; esac
exec {shutil.which("nft")} "$@" <<< "$text"
"""
    said = planned(nft=nft)
    assert "the nftables table inet panel_" in said
    assert "with NAT" not in said
