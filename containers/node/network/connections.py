"""How many connections the kernel may keep track of for one container: a node's setting.

The kernel has one table for the whole machine; once it is full, new connections fail for all.
"""

from collections.abc import Mapping
from pathlib import Path

from containers.node import values, veconf
from containers.node.conf import NodeConf
from containers.node.errors import BadValue

KEY = "CONNTRACK"  # of vz.conf
MOST = Path("/proc/sys/net/netfilter/nf_conntrack_max")
USUAL = 65536  # where the kernel has not loaded its table yet
LARGEST, SMALLEST, SHARE = 16384, 256, 16  # of the table at least so many containers have a share


def default() -> int:
    """What set-up writes: a sixteenth of the table."""
    try:
        most = int(MOST.read_text())
    except (OSError, ValueError):
        most = USUAL
    return max(SMALLEST, min(LARGEST, most // SHARE))


def each(conf: NodeConf) -> int | None:
    """None: any number. A line that can't be read counts as what set-up would write."""
    return parse(veconf.read(conf.vz_conf))


def parse(vz_conf: Mapping[str, str]) -> int | None:
    try:
        return values.count(vz_conf[KEY])
    except (KeyError, BadValue):
        return default()
