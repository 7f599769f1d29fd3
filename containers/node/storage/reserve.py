"""The room of a pool that new things leave free, so that what there is can go on writing.

A file system on which nothing is left fails all containers at once, and can hardly be cleared up.
"""

from collections.abc import Mapping

from containers.node import values, veconf
from containers.node.conf import NodeConf
from containers.node.errors import BadValue, NoSpace, Problem
from containers.node.storage import space

KEY = "POOL_RESERVE"  # of vz.conf: a size, or a percentage of the pool
USUAL = "5%"
GIB = 1 << 30
LEAST, MOST = GIB, 50 * GIB  # of the usual one
TENTH = 10  # of a pool so small that the least of the usual one would be much of it


def require(conf: NodeConf) -> None:
    """Raises NoSpace where less is free than new things shall leave."""
    found = space(conf.vz)
    wanted = of(found.size, veconf.read(conf.vz_conf))
    if found.free < wanted:
        raise NoSpace(Problem.POOL_RESERVE, free=found.free, reserve=wanted, whole=found.size)


def of(size: int, vz_conf: Mapping[str, str]) -> int:
    """Bytes, of a pool of that size. A line that can't be read counts as the usual one."""
    try:
        return parse(vz_conf[KEY], size)
    except (KeyError, BadValue):
        return min(max(parse(USUAL, size), LEAST), MOST, size // TENTH)


def parse(text: str, size: int) -> int:
    """Raises BadValue."""
    if text.endswith("%"):
        return size * int(values.count(text[:-1]) or 0) // 100
    return values.size(text, unit=1) or 0
