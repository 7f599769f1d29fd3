from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction

from containers.models.node import Node
from containers.node.errors import BadValue, BadValues, Problem
from containers.node.network import addresses, pool

if TYPE_CHECKING:
    from containers.models.operation import Operation

ALL = "all"  # --ipdel all


class Address(models.Model):
    """An IP address of a container's; no two containers have the same one."""

    container = models.ForeignKey("Container", models.CASCADE)
    address = models.GenericIPAddressField(unique=True)
    operation = models.ForeignKey(  # that is to bring it; until it has, it is only reserved
        "Operation", models.CASCADE, null=True, related_name="reserved"
    )
    pooled = models.BooleanField(default=False)  # from the node's pool: leaves through NAT

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.address)

    @classmethod
    def give(
        cls, node: Node, container: int, text: str, operation: Operation | None = None
    ) -> None:
        """Give a container (its pk) an address, or reserve it until the operation has brought it.

        Raises BadValue; 78 and who, if another container has it.
        """
        address = addresses.parse(text)
        network = pool.parse(node.pool) if node.pool else None
        pooled = network is not None and address in network
        if network and pooled and not pool.gives(network, address):
            raise BadValue(Problem.ADDRESS_OF_NODE, address=address)
        if not pooled and (other := cls.pooled_on(node, f"{address}")):
            raise BadValue(Problem.ADDRESS_OF_OTHER_POOL, address=address, node=other)
        holder = cls.objects.filter(address=f"{address}").select_related("container").first()
        if holder and holder.container_id == container:
            return
        try:
            if holder:
                raise in_use(holder)
            with transaction.atomic():
                cls.objects.create(
                    container_id=container,
                    address=f"{address}",
                    pooled=pooled,
                    operation=operation,
                )
        except IntegrityError as error:  # somebody was faster
            raise in_use(cls.objects.get(address=f"{address}")) from error

    @classmethod
    def give_any(cls, node: Node, container: int, ctid: int) -> None:
        """Give a container (its pk) a free address of the node's pool; none when it has no pool."""
        node = Node.objects.select_for_update().get(pk=node.pk)  # one at a time
        if not node.pool:
            return
        taken = {addresses.parse(each.address) for each in cls.objects.all()}
        cls.give(node, container, f"{pool.allocate(pool.parse(node.pool), taken, ctid)}")

    @classmethod
    def pooled_on(cls, node: Node, address: str) -> Node | None:
        """The other node that has this address in its pool: nobody would reach it elsewhere."""
        found = addresses.parse(address)
        others = Node.objects.exclude(pk=node.pk).exclude(pool="")
        return next((each for each in others if found in pool.parse(each.pool)), None)

    @classmethod
    def asked(cls, container: int, add: Iterable[str], drop: Iterable[str]) -> dict[str, list[str]]:
        """What becomes of a container's (its pk) addresses, each list without a needless one.

        Empty when nothing does. Raises BadValue for one to drop that it doesn't have.
        """
        words = list(drop)
        held = cls.objects.filter(container_id=container, operation=None)
        has = list(held.values_list("address", flat=True))
        gone = has if ALL in words else [f"{addresses.parse(word)}" for word in words]
        if missing := sorted(set(gone) - set(has)):
            raise BadValue(BadValues.ADDRESS_NOT_ITS, address=missing[0])
        wanted = list(dict.fromkeys(f"{addresses.parse(word)}" for word in add))
        found = {
            "add": [each for each in wanted if each not in has],
            "drop": [each for each in dict.fromkeys(gone) if each not in wanted],
        }
        return found if any(found.values()) else {}


def in_use(holder: Address) -> BadValue:
    who = holder.container
    return BadValue(
        Problem.ADDRESS_RESERVED if holder.operation_id else Problem.ADDRESS_OF_CONTAINER,
        address=holder.address,
        ctid=who.ctid,
        name=who.name or who.hostname,
    )
