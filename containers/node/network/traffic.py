"""How many bytes containers have received and sent since they started.

Counted at the node's end of each link, for a container's root can rename and remake its own.
"""

from dataclasses import dataclass

from containers.node.conf import NodeConf
from containers.node.lines import lines_in, text_of
from containers.node.network import names

IN, OUT = 0, 8  # columns of /proc/net/dev


@dataclass(frozen=True)
class Traffic:
    """In bytes, as the container sees it."""

    received: int = 0
    sent: int = 0


def measure(conf: NodeConf) -> dict[int, Traffic]:
    """By CT ID, of all that have a link."""
    return parse(conf, text_of("/proc/net/dev"))


def parse(conf: NodeConf, text: str) -> dict[int, Traffic]:
    traffic = {}
    for line in lines_in(text):
        name, colon, figures = line.partition(":")
        ctid = names.ctid_of(conf, name.strip())
        if colon and ctid is not None:
            columns = [int(word) for word in figures.split()]
            # What leaves the node's end arrives at the container's.
            traffic[ctid] = Traffic(received=columns[OUT], sent=columns[IN])
    return traffic
