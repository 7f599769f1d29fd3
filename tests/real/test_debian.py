"""Debian containers, with systemd and with sysvinit: made, signed in to, rebooted, stopped."""

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from containers.node.access.accounts import hash_password
from containers.node.states import State
from containers.node.templates.catalogue import Template
from tests.real.rig import Outcome, Rig

pytestmark = pytest.mark.xdist_group("debian")  # each worker would unpack the templates
PASSWORD = "correct horse ' battery"
NUMBERS = itertools.count(601)


@dataclass(frozen=True)
class Debian:
    ctid: int
    address: str
    spec: dict[str, Any]
    made: Outcome
    systemd: bool


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SSH key of alice's."""
    folder = tmp_path_factory.mktemp("alice")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/key"], check=True
    )
    return folder / "key"


@pytest.fixture(params=["debian_systemd_template", "debian_template"])
def debian(
    rig: Rig, networked: IPv4Network, keys: Path, request: pytest.FixtureRequest
) -> Iterator[Debian]:
    """A running container of each flavour, with an address, a password and alice's key."""
    template = request.getfixturevalue(request.param)
    ctid = next(NUMBERS)
    address = f"{networked.network_address + ctid}"
    spec = {"template": f"{template}", "ips": [address], "hostname": f"deb{ctid}.example"}
    made = rig.operate(
        "create",
        ctid,
        spec=spec,
        userpasswd={"user": "root", "hash": hash_password(PASSWORD)},
        sshkeys=[keys.with_suffix(".pub").read_text().strip()],
    )
    assert made.code == 0, made.log
    started = rig.operate("start", ctid, spec=spec)
    assert started.code == 0, started.log
    try:
        yield Debian(ctid, address, spec, made, systemd="systemd" in request.param)
    finally:
        rig.clear(ctid)


def test_it_boots_lets_its_owner_in_reboots_and_stops(
    rig: Rig, debian: Debian, keys: Path, tmp_path: Path
) -> None:
    until_up(rig, debian)
    known = host_keys(rig, debian, tmp_path)
    assert known == sorted(f"{print_}" for _, print_ in debian.made.facts["host_keys"])
    assert ssh(debian, tmp_path, "id -un; hostname").split() == ["root", debian.spec["hostname"]]
    assert ssh(debian, tmp_path, "id -un", key=keys) == "root\n"
    refused = sign_in(debian, tmp_path, "id", "battery staple")
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr

    rebooted = end_from_within(rig, debian, "reboot")
    assert rebooted == {"code": None, "signal": 1}
    again = rig.operate("rebooted", debian.ctid, spec=debian.spec)
    assert (again.code, again.state) == (0, State.RUNNING), again.log
    until_up(rig, debian)
    assert ssh(debian, tmp_path, "id -un", key=keys) == "root\n"

    began = time.monotonic()
    stopped = rig.operate("stop", debian.ctid)
    took = time.monotonic() - began
    assert (stopped.code, rig.state(debian.ctid)) == (0, State.STOPPED)
    assert "is killed" not in stopped.log
    assert took < 15
    assert json.loads(events(rig, debian)[-1])["signal"] == 2

    assert rig.operate("restart", debian.ctid, spec=debian.spec).code == 0
    until_up(rig, debian)
    word = "poweroff" if debian.systemd else "halt"  # of the two the one that a stop doesn't use
    assert end_from_within(rig, debian, word)["signal"] == 2
    assert rig.operate("halted", debian.ctid, spec=debian.spec).state is State.STOPPED


def test_each_has_keys_and_a_machine_id_of_its_own(
    rig: Rig, debian_systemd_template: Template
) -> None:
    spec = {"template": f"{debian_systemd_template}"}
    found = []
    for ctid in (next(NUMBERS), next(NUMBERS)):
        try:
            made = rig.operate("create", ctid, spec=spec)
            machine = (rig.paths(ctid).fs / "etc/machine-id").read_text()
            found.append((machine, *(f for _, f in made.facts["host_keys"])))
        finally:
            rig.clear(ctid)
    assert all(mine != other for mine, other in zip(*found, strict=True))
    assert len(found[0][0].strip()) == 32


def until_up(rig: Rig, debian: Debian) -> None:
    if debian.systemd:
        rig.wait_for(lambda: "bus" not in said_up(rig, debian), "systemd to answer", 20)
        said = said_up(rig, debian)
        failed = rig.inside(debian.ctid, "systemctl", "--failed", "--no-legend", "--plain")
        assert (said, failed) == ("running\n", "")
    answers = ["ss", "-Hltn", "sport", "=", ":22"]
    rig.wait_for(lambda: "LISTEN" in rig.inside(debian.ctid, *answers), "sshd to listen", 20)


def said_up(rig: Rig, debian: Debian) -> str:
    return rig.inside(debian.ctid, "systemctl", "is-system-running", "--wait")


def host_keys(rig: Rig, debian: Debian, tmp_path: Path) -> list[str]:
    """The fingerprints of the keys that its sshd shows; they are known from now on."""
    said = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519,ecdsa", debian.address],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    (tmp_path / "known_hosts").write_text(said.stdout)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{tmp_path}/known_hosts"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(line.split()[1] for line in listed.stdout.splitlines())


def ssh(debian: Debian, tmp_path: Path, command: str, key: Path | None = None) -> str:
    done = sign_in(debian, tmp_path, command, PASSWORD, key)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign_in(
    debian: Debian, tmp_path: Path, command: str, password: str, key: Path | None = None
) -> subprocess.CompletedProcess[str]:
    assert shutil.which("sshpass"), "sshpass is installed by make test"
    how = ["-i", f"{key}", "-o", "PasswordAuthentication=no"]
    if key is None:
        how = ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]
    return subprocess.run(
        ["sshpass", "-p", password, "ssh", "-F", "none", *how,
         "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={tmp_path}/known_hosts",
         f"root@{debian.address}", command],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def end_from_within(rig: Rig, debian: Debian, command: str) -> dict[str, int | None]:
    """Type it in the container; how its init then ended."""
    init = rig.init(debian.ctid)
    rig.begin("exec", debian.ctid, command=["sh", "-c", f"{command} </dev/null"])
    rig.wait_for(lambda: '"gone"' in events(rig, debian)[-1], f"{command} to end it", 40)
    assert not init.alive
    gone = json.loads(events(rig, debian)[-1])
    return {"code": gone["code"], "signal": gone["signal"]}


def events(rig: Rig, debian: Debian) -> list[str]:
    return rig.paths(debian.ctid).monitor.joinpath("events").read_text().splitlines()
