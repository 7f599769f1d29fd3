"""Bytes in and out, as the container sees them."""

from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.network import names, traffic
from containers.node.network.traffic import Traffic

ALPHA = NodeConf("alpha", Path("/var/lib/panel"), Path("/vz"), Path("/etc/vz"))
DEV = f"""\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0
  eth0: 5000      50    0    0    0     0          0         0     6000      60    0    0
{names.veth(ALPHA, 101)}: 700 7 0 0 0 0 0 0 900 9 0 0
{names.veth(ALPHA, 2147483644)}:18446744073709551615 7 0 0 0 0 0 0 1 9 0 0
vffffffff2t: 1 1 0 0 0 0 0 0 1 1 0 0
"""


def test_each_containers_traffic_is_the_mirror_of_its_link() -> None:
    assert traffic.parse(ALPHA, DEV) == {
        101: Traffic(received=900, sent=700),
        2147483644: Traffic(received=1, sent=18446744073709551615),
    }
