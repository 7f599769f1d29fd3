"""What a route to an address says about who has it."""

from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.network import names
from containers.node.network.prepare import dropping
from containers.node.network.taken import routed

ALPHA = NodeConf("alpha", Path("/var/lib/panel"), Path("/vz"), Path("/etc/vz"))


@pytest.mark.parametrize(
    ("routes", "why"),
    [
        ([], ""),
        ([{"dst": "203.0.113.5", "dev": names.veth(ALPHA, 102)}], ""),
        ([{"dst": "203.0.113.5", "dev": names.veth(ALPHA, 101)}], "container 101 has it"),
        ([{"dst": "203.0.113.5", "type": "local", "dev": "lo"}], "it is the node's own"),
        ([{"dst": "203.0.113.5", "dev": "vffffffff2t"}], "the node routes it to vffffffff2t"),
        ([{"dst": "203.0.113.5", "type": "blackhole"}], "the node routes it to nowhere"),
    ],
)
def test_an_address_is_whose_route_there_is(routes: list[dict[str, str]], why: str) -> None:
    assert routed(ALPHA, 102, routes) == why


def test_a_firewall_that_drops_what_is_forwarded_is_found() -> None:
    def chain(table: str, hook: str, policy: str) -> dict[str, dict[str, str]]:
        return {"chain": {"family": "ip", "table": table, "hook": hook, "policy": policy}}

    listing = {
        "nftables": [
            {"metainfo": {"version": "1.0.6"}},
            {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
            chain("filter", "forward", "drop"),
            chain("other", "input", "drop"),
            chain("fine", "forward", "accept"),
            chain("panel_x", "forward", "drop"),
        ]
    }
    assert dropping(listing, "panel_x") == ["ip filter"]
