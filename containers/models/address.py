from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, models, transaction

from containers.models.node import Node
from containers.node.errors import BadValue, BadValues, Problem
from containers.node.network import addresses, pool

ALL = "all"  # --ipdel all


class Address(models.Model):
    """An IP address of a container's; no two containers have the same one."""

    container = models.ForeignKey("Container", models.CASCADE)
    address = models.GenericIPAddressField(unique=True)
    pooled = models.BooleanField(default=False)  # from the node's pool: leaves through NAT

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.address)

    @classmethod
    def give(cls, node: Node, container: int, text: str) -> None:
        """Give a container (its pk) an address. Raises BadValue; 78 and who, if another has it."""
        address = addresses.parse(text)
        network = pool.parse(node.pool) if node.pool else None
        pooled = network is not None and address in network
        if network and pooled and not pool.gives(network, address):
            raise BadValue(Problem.ADDRESS_OF_NODE, address=address)
        holder = cls.objects.filter(address=f"{address}").select_related("container").first()
        if holder and holder.container_id == container:
            return
        try:
            if holder:
                raise in_use(holder)
            with transaction.atomic():
                cls.objects.create(container_id=container, address=f"{address}", pooled=pooled)
        except IntegrityError as error:  # somebody was faster
            raise in_use(cls.objects.get(address=f"{address}")) from error

    @classmethod
    def give_any(cls, node: Node, container: int, ctid: int) -> None:
        """Give a container (its pk) a free address of the node's pool; none when it has no pool."""
        node = Node.objects.select_for_update().get(pk=node.pk)  # one at a time
        if not node.pool:
            return
        taken = {addresses.parse(each.address) for each in cls.objects.filter(pooled=True)}
        cls.give(node, container, f"{pool.allocate(pool.parse(node.pool), taken, ctid)}")

    @classmethod
    def take(cls, container: int, texts: Iterable[str]) -> None:
        """Take addresses from a container (its pk). Raises BadValue for one it doesn't have."""
        words = list(texts)
        held = cls.objects.filter(container_id=container)
        has = set(held.values_list("address", flat=True))
        drop = has if ALL in words else {f"{addresses.parse(word)}" for word in words}
        if missing := sorted(drop - has):
            raise BadValue(BadValues.ADDRESS_NOT_ITS, address=missing[0])
        held.filter(address__in=drop).delete()


def in_use(holder: Address) -> BadValue:
    who = holder.container
    return BadValue(
        Problem.ADDRESS_OF_CONTAINER,
        address=holder.address,
        ctid=who.ctid,
        name=who.name or who.hostname,
    )
