"""A link's name tells whose it is, in 15 characters."""

from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.network import names

ALPHA = NodeConf("alpha", Path("/var/lib/panel"), Path("/vz"), Path("/etc/vz"))
BETA = NodeConf("beta", Path("/srv/panel"), Path("/vz"), Path("/etc/vz"))
HIGHEST = 2147483644


@pytest.mark.parametrize("ctid", [100, 101, 1295, 1296, 99999, HIGHEST])
def test_the_name_of_a_link_fits_and_leads_back_to_its_container(ctid: int) -> None:
    name = names.veth(ALPHA, ctid)
    assert len(name) <= 15
    assert names.ctid_of(ALPHA, name) == ctid
    assert names.ctid_of(BETA, name) is None


@pytest.mark.parametrize(
    "name", ["eth0", "lo", "veth1a2b3c4", f"v{ALPHA.instance}", f"v{ALPHA.instance}-x"]
)
def test_interfaces_of_others_are_nobodys(name: str) -> None:
    assert names.ctid_of(ALPHA, name) is None


def test_hardware_addresses_are_fixed_and_locally_administered() -> None:
    byte = ALPHA.instance[:2]
    assert names.mac(ALPHA, 101) == f"02:{byte}:00:00:00:65"
    assert names.node_mac(ALPHA, HIGHEST) == f"06:{byte}:7f:ff:ff:fc"
