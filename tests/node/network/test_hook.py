"""The hook in a container's config.json."""

from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import BadValue, Code
from containers.node.network import names, record
from containers.node.network.hook import ENV, SCRIPT, fault, hook
from containers.node.network.record import Record


class Conf(NodeConf):
    @property
    def run(self) -> Path:
        return self.state / "run"


@pytest.fixture
def conf(tmp_path: Path) -> NodeConf:
    conf = Conf("alpha", tmp_path, tmp_path / "vz", tmp_path / "etc")
    record.save(conf, Record(pool="10.20.4.0/22", without="", ipv6=False))
    return conf


def test_it_needs_no_file_of_the_panel_and_no_right_to_execute_one(conf: NodeConf) -> None:
    entry = hook(conf, 101, ["10.20.4.101"])
    veth = names.veth(conf, 101)
    assert (entry["path"], entry["env"][: len(ENV)]) == ("/bin/sh", ENV)
    assert f"NETWORK_SCRIPT={conf.scripts}/vps.network" in entry["env"]
    assert entry["args"][:5] == ["sh", "-c", SCRIPT, "nethook", veth]
    create, node, inside = entry["args"][5:]
    assert create.startswith(f"link add name {veth} ")
    assert f"route add 10.20.4.101/32 dev {veth} src 10.20.4.1" in node.splitlines()
    assert "addr replace 10.20.4.101/32 dev eth0" in inside.splitlines()


def test_without_a_network_only_the_loopback_interface_comes_up(conf: NodeConf) -> None:
    record.path(conf).unlink()
    assert hook(conf, 101, ["10.20.4.101"])["args"][4:] == ["", "", "", "link set lo up"]


def test_an_ipv6_address_is_refused_where_ipv6_is_off(conf: NodeConf) -> None:
    with pytest.raises(BadValue, match="IPv6 is off on this node"):
        hook(conf, 101, ["2001:db8::5"])


@pytest.mark.parametrize(
    ("said", "sentence", "code"),
    [
        ("runc create failed: error running hook #0: exit status 1, stdout: , stderr: nethook:"
         " ip route add 10.20.4.101/32 dev v1: RTNETLINK answers: File exists\\n\"}",
         "The address 10.20.4.101 is in use on this node.", Code.ADDRESS_IN_USE),
        ("nethook: ip link add name v1: RTNETLINK answers: Operation not permitted\n",
         "The container's network could not be set up: ip link add name v1:"
         " RTNETLINK answers: Operation not permitted.", Code.NETWORK),
    ],
)  # fmt: skip
def test_what_the_hook_complains_of_is_said_to_the_operator(
    said: str, sentence: str, code: Code
) -> None:
    error = fault(said)
    assert error
    assert (f"{error}", error.code) == (sentence, code)


def test_other_complaints_of_the_runtime_are_not_the_hooks() -> None:
    assert fault("runc create failed: no such file or directory") is None
