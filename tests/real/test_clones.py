"""Clones and templates of snapshots, and connections: selves and addresses of their own."""

import itertools
import json
import os
import signal
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from containers.node.states import State
from tests.real.counter import count, install, read
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import Kept, fresh, take

pytestmark = pytest.mark.criu
CTIDS = itertools.count(701)  # of clones; the containers of conftest.py count from 101 on
UP, DOWN = State.RUNNING, State.STOPPED
ECHO = "#!/bin/sh\nnc -ll -p 7 -e cat </dev/null >/dev/null 2>&1 &\n"


@pytest.fixture
def address(networked: IPv4Network) -> str:
    """One that nobody has; the next one is free too."""
    return f"{networked.network_address + 40}"


@pytest.fixture
def other(networked: IPv4Network) -> str:
    return f"{networked.network_address + 41}"


@pytest.fixture
def serving(criu: str, rig: Rig, ctid: int, address: str) -> int:
    """A running container that counts, and echoes on TCP port 7."""
    script = rig.paths(ctid).fs / "etc/rc.d/echo"
    script.write_text(ECHO)
    script.chmod(0o755)
    install(rig, ctid)
    started = rig.operate("start", ctid, spec={"ips": [address]})
    assert started.code == 0, started.log
    rig.wait_for(lambda: read(rig, ctid) == 0 and answers(address), "the echo")
    return ctid


@pytest.fixture
def clone_id(rig: Rig) -> Iterator[int]:
    number = next(CTIDS)
    yield number
    rig.clear(number)


def answers(address: str, port: int = 7) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1) as line:
            return echoed(line, b"hello")
    except OSError:
        return False


def listens(address: str, port: int = 7) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def echoed(line: socket.socket, words: bytes, patience: float = 20) -> bool:
    line.settimeout(patience)
    line.sendall(words)
    return line.recv(100) == words


def clone(rig: Rig, kept: Kept, number: int, *, address: str, **params: Any) -> Outcome:
    spec = {"hostname": f"clone{number}", "ips": [address], "state": "creating"}
    return rig.operate("clone", number, source=kept.ctid, spec=spec, **kept.params, **params)


@pytest.mark.parametrize("safe", [True, False])
def test_a_client_goes_on_over_a_restore(rig: Rig, serving: int, address: str, safe: bool) -> None:
    spec = {"ips": [address]}
    with socket.create_connection((address, 7), timeout=5) as line:
        assert echoed(line, b"before")
        kept = take(rig, serving, spec=spec)
        assert kept.facts["addresses"] == [address]
        more = {"safety": fresh()} if safe else {}

        restored = rig.operate("restore", serving, spec=spec, **kept.params, **more)

        assert (restored.code, restored.state) == (0, UP), restored.log
        assert echoed(line, b"after")
    assert answers(address)
    assert count(rig, serving) == 1


def test_a_client_goes_on_over_a_suspension(rig: Rig, serving: int, address: str) -> None:
    spec = {"ips": [address]}
    with socket.create_connection((address, 7), timeout=5) as line:
        assert echoed(line, b"before")
        assert rig.operate("suspend", serving, spec=spec).code == 0
        assert not answers(address)
        assert rig.operate("resume", serving, spec=spec).code == 0
        assert echoed(line, b"after")


def test_connections_can_be_restored_as_closed(rig: Rig, serving: int, address: str) -> None:
    spec = {"ips": [address]}
    with socket.create_connection((address, 7), timeout=5) as line:
        assert echoed(line, b"before")
        kept = take(rig, serving, spec=spec)
        restored = rig.operate("restore", serving, spec=spec, tcp_close=True, **kept.params)
        assert restored.code == 0, restored.log
    assert answers(address)


def test_a_clone_has_a_self_of_its_own(
    rig: Rig, serving: int, address: str, other: str, clone_id: int
) -> None:
    fs = rig.paths(serving).fs
    (fs / "etc/machine-id").write_text("0" * 32)
    with rig.paths(serving).ve_conf.open("a") as conf:
        conf.write("BOOTORDER=7\n")
    kept = take(rig, serving, spec={"ips": [address]})

    cloned = clone(rig, kept, clone_id, address=other)

    assert (cloned.code, cloned.state, rig.state(clone_id)) == (0, DOWN, DOWN), cloned.log
    own = rig.paths(clone_id).fs
    assert (own / "etc/hostname").read_text() == f"clone{clone_id}\n"
    assert (own / "etc/machine-id").read_text().strip() not in ("", "0" * 32)
    lines = rig.paths(clone_id).ve_conf.read_text().splitlines()
    assert [line for line in lines if line.startswith(("IP_ADDRESS", "BOOTORDER", "HOSTNAME"))] == [
        f'HOSTNAME="clone{clone_id}"', f'IP_ADDRESS="{other}"', "BOOTORDER=7"
    ]  # fmt: skip
    started = rig.operate("start", clone_id, spec={"ips": [other]})
    assert started.code == 0, started.log
    rig.wait_for(lambda: answers(other), "the clone's echo")
    assert answers(address)
    assert count(rig, serving) == 1


def test_a_clones_processes_go_on_at_its_own_address_only(
    rig: Rig, serving: int, address: str, other: str, clone_id: int
) -> None:
    with socket.create_connection((address, 7), timeout=5) as line:
        assert echoed(line, b"before")
        count(rig, serving)
        kept = take(rig, serving, spec={"ips": [address]})

        cloned = clone(rig, kept, clone_id, address=other, processes=True)

        assert (cloned.code, cloned.state) == (0, UP), cloned.log
        assert echoed(line, b"after")  # it is the source's
    rig.wait_for(lambda: answers(other), "the clone's echo")
    assert count(rig, clone_id) == 2
    assert count(rig, serving) == 2
    init = rig.init(clone_id).pid
    groups = Path(f"/proc/{init}/cgroup").read_text()
    assert f"/{clone_id}\n" in groups
    assert f"/{serving}\n" not in groups
    assert rig.inside(clone_id, "hostname").strip() == f"clone{clone_id}"
    assert rig.inside(serving, "hostname").strip() == f"ct{serving}"
    assert rig.operate("stop", serving, spec={"ips": [address]}).code == 0
    assert not answers(address)
    assert answers(other)


def test_a_listener_on_the_sources_address_is_no_reason_for_a_clone_to_fail(
    criu: str, rig: Rig, ctid: int, address: str, other: str, clone_id: int
) -> None:
    script = rig.paths(ctid).fs / "etc/rc.d/echo"
    script.write_text(f"#!/bin/sh\nhttpd -p {address}:7 -h /etc\n")
    script.chmod(0o755)
    install(rig, ctid)
    assert rig.operate("start", ctid, spec={"ips": [address]}).code == 0
    rig.wait_for(lambda: listens(address), "the server")
    kept = take(rig, ctid, spec={"ips": [address]})

    cloned = clone(rig, kept, clone_id, address=other, processes=True)

    assert (cloned.code, cloned.state) == (0, UP), cloned.log
    rig.wait_for(lambda: count(rig, clone_id) == 1, "the clone's counter")
    assert rig.operate("stop", ctid, spec={"ips": [address]}).code == 0
    assert not listens(address)


def test_a_clone_that_can_not_be_restored_is_not_made(
    rig: Rig, serving: int, address: str, other: str, clone_id: int
) -> None:
    kept = take(rig, serving, spec={"ips": [address]})
    tree = kept.saved.images / "pstree.img"
    tree.write_bytes(tree.read_bytes()[:-4])
    kept.agree()

    cloned = clone(rig, kept, clone_id, address=other, processes=True)

    assert cloned.code == 17, cloned.log
    assert not rig.paths(clone_id).private.exists()
    assert count(rig, serving) == 1


def test_an_address_that_is_in_use_is_refused(
    rig: Rig, serving: int, address: str, clone_id: int
) -> None:
    kept = take(rig, serving, spec={"ips": [address]})
    assert clone(rig, kept, clone_id, address=address).code == 78
    assert not rig.paths(clone_id).private.exists()


def test_a_clone_waits_for_nobody_who_holds_the_source(
    rig: Rig, serving: int, other: str, address: str, clone_id: int
) -> None:
    kept = take(rig, serving, spec={"ips": [address]})
    rig.write(serving, "stop", "sleep 1000\n")
    holder = rig.begin("stop", serving, spec={"ips": [address]})
    rig.wait_for(lambda: "its stop script" in rig.said(holder), "the stop script")

    cloned = clone(rig, kept, clone_id, address=other)

    assert cloned.code == 9
    os.kill(rig.runner(holder), signal.SIGTERM)
    rig.finish(holder)


def test_a_template_of_a_snapshot_makes_containers(
    criu: str, rig: Rig, ctid: int, clone_id: int
) -> None:
    fs = rig.paths(ctid).fs
    (fs / "root/file").write_text("kept")
    ssh = fs / "etc/ssh"
    ssh.mkdir()
    (ssh / "ssh_host_ed25519_key").write_text("secret")
    (fs / "home/bob").mkdir(parents=True)
    (fs / "home/bob/.bash_history").write_text("secret")
    (fs / "tmp/link").symlink_to("/etc")
    kept = take(rig, ctid)

    published = rig.operate(
        "publish_snapshot", 0, name="of-snapshot", source=ctid, clean=["histories", "temporary"],
        **kept.params,
    )  # fmt: skip

    assert published.code == 0, published.log
    assert "Removed: what was typed and viewed: 1 (/home/bob/.bash_history)" in published.log
    assert "Stays in it: everything in /root: " in published.log
    template = rig.conf.templates / "of-snapshot@1"
    assert not (template / "fs/home/bob/.bash_history").exists()
    assert not (template / "fs/tmp/link").is_symlink()
    template = rig.conf.templates / "of-snapshot@1"
    assert json.loads((template / "template.json").read_text())["init"] == "busybox"
    assert not (template / "fs/etc/ssh/ssh_host_ed25519_key").exists()
    made = rig.operate("create", clone_id, spec={"template": "of-snapshot"})
    assert made.code == 0, made.log
    assert (rig.paths(clone_id).fs / "root/file").read_text() == "kept"
    assert rig.operate("start", clone_id).code == 0
    assert rig.init(clone_id).alive
