from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction

from containers.models.node import Node
from containers.node.errors import BadValue, Code
from containers.node.network import addresses, pool

if TYPE_CHECKING:
    from containers.models.container import Container

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
    def give(cls, container: Container, text: str) -> None:
        """Give a container this address. Raises BadValue; 78 when another has it, naming who."""
        address = addresses.parse(text)
        network = pool.parse(container.node.pool) if container.node.pool else None
        pooled = network is not None and address in network
        if network and pooled and not pool.gives(network, address):
            raise BadValue(f"{address} is an address of the node's own", Code.ADDRESS_IN_USE)
        holder = cls.objects.filter(address=f"{address}").select_related("container").first()
        if holder and holder.container == container:
            return
        try:
            if holder:
                raise in_use(holder)
            with transaction.atomic():
                cls.objects.create(container=container, address=f"{address}", pooled=pooled)
        except IntegrityError as error:  # somebody was faster
            raise in_use(cls.objects.get(address=f"{address}")) from error

    @classmethod
    def give_any(cls, container: Container) -> None:
        """Give a container a free address of its node's pool; none when the node has no pool."""
        node = Node.objects.select_for_update().get(pk=container.node_id)  # one at a time
        if not node.pool:
            return
        network = pool.parse(node.pool)
        taken = {addresses.parse(each.address) for each in cls.objects.filter(pooled=True)}
        cls.give(container, f"{pool.allocate(network, taken, container.ctid)}")

    @classmethod
    def take(cls, container: Container, texts: Iterable[str]) -> None:
        """Take addresses away from a container. Raises BadValue for one it doesn't have."""
        words = list(texts)
        has: Collection[str] = set(container.addresses)
        drop = has if ALL in words else {f"{addresses.parse(word)}" for word in words}
        if missing := sorted(set(drop) - set(has)):
            raise BadValue(f"{container} does not have the address {missing[0]}")
        cls.objects.filter(container=container, address__in=drop).delete()


def in_use(holder: Address) -> BadValue:
    who = holder.container
    name = f" ({who.name or who.hostname})"
    return BadValue(f"{holder.address} is in use by {who}{name}", Code.ADDRESS_IN_USE)
