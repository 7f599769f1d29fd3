"""Keeps the firewall's groups of containers as their owners are."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from containers.models import Container, Node
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.network import reach
from containers.node.network.reach import Groups, Reach
from containers.node.runtimes import DRY_RUN

logger = logging.getLogger(__name__)
UNKNOWN: Groups = ((0,),)  # before anything was done
UNSEEN = 0  # nobody's number


@dataclass
class Neighbourhood:
    conf: NodeConf
    done: Groups | None = field(default=UNKNOWN)
    owners: dict[int, int | None] = field(default_factory=dict)  # by CT ID, as of the last look

    def receive(self, container: Container) -> None:
        """Before it is worked on: one that is new, or has another owner, changes groups."""
        seen = self.owners.get(container.ctid, UNSEEN)
        if seen != container.owner_id or self.done == UNKNOWN:
            self.sync(container.node)

    def sync(self, node: Node, *, look: bool = False) -> None:
        """Make it so, if it isn't. look: others may have changed the firewall."""
        if node.runtime == DRY_RUN:
            return
        self.owners = owners_on(node)
        wanted = groups(node, self.owners)
        try:
            if wanted != self.done or (look and not reach.stands(self.conf, wanted)):
                reach.apply(self.conf, wanted)
                self.done = wanted
        except OperationError as error:
            self.done = UNKNOWN
            logger.warning("which containers reach one another is not as it should be: %s", error)


def owners_on(node: Node) -> dict[int, int | None]:
    return dict(node.containers.values_list("ctid", "owner"))


def groups(node: Node, owners: Mapping[int, int | None]) -> Groups | None:
    """Which of a node's containers reach one another: those without an owner are the staff's."""
    setting = Node.objects.values_list("reach", flat=True).get(pk=node.pk)
    if setting == Reach.ALL:
        return None
    found: dict[int | None, list[int]] = {}
    if setting == Reach.OWNER:
        for ctid, owner in sorted(owners.items()):
            found.setdefault(owner, []).append(ctid)
    return tuple(sorted(tuple(group) for group in found.values() if len(group) > 1))
