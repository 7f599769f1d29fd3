"""Keeps the firewall's groups of containers as their owners are."""

import logging
from dataclasses import dataclass, field

from containers.models import Node
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.network import reach
from containers.node.network.reach import Groups, Reach
from containers.node.runtimes import DRY_RUN

logger = logging.getLogger(__name__)
UNKNOWN: Groups = ((0,),)  # before anything was done


@dataclass
class Neighbourhood:
    conf: NodeConf
    done: Groups | None = field(default=UNKNOWN)

    def sync(self, node: Node, *, look: bool = False) -> None:
        """Make it so, if it isn't. look: others may have changed the firewall."""
        if node.runtime == DRY_RUN:
            return
        wanted = groups(node)
        try:
            if wanted != self.done or (look and not reach.stands(self.conf, wanted)):
                reach.apply(self.conf, wanted)
                self.done = wanted
        except OperationError as error:
            self.done = UNKNOWN
            logger.warning("which containers reach one another is not as it should be: %s", error)


def groups(node: Node) -> Groups | None:
    """Which of a node's containers reach one another: those without an owner are the staff's."""
    setting = Node.objects.values_list("reach", flat=True).get(pk=node.pk)
    if setting == Reach.ALL:
        return None
    found: dict[int | None, list[int]] = {}
    if setting == Reach.OWNER:
        rows = node.containers.order_by("owner", "ctid").values_list("owner", "ctid")
        for owner, ctid in rows:
            found.setdefault(owner, []).append(ctid)
    return tuple(tuple(group) for group in found.values() if len(group) > 1)
