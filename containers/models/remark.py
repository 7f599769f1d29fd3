"""What is unusual about a container's settings, though it may be meant: said, and not refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from containers.models.container import Container
from containers.models.node import Node
from containers.models.operation import Operation
from containers.node.network import addresses, pool

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FEW = 3  # containers that are named


def remarks(operation: Operation, *, by: User | None = None) -> list[str]:
    """Sentences about the host name and the addresses that it brings its container.

    by: whose containers may be named; None for root.
    """
    container = operation.container
    if container is None:
        return []
    if operation.of_kind.plan.makes:
        hostname = container.hostname
        ips = [each.address for each in container.held]
    else:
        hostname = (operation.params.get("settings") or {}).get("hostname", "")
        ips = (operation.params.get("addresses") or {}).get("add", [])
    found = [*of_hostname(container, hostname, by)] if hostname else []
    return [*found, *(said for text in ips for said in of_address(container.node, text))]


def of_hostname(container: Container, hostname: str, by: User | None) -> Iterator[str]:
    known = Container.objects.visible_to(by) if by else Container.objects.all()
    others = known.filter(hostname__iexact=hostname).exclude(pk=container.pk).order_by("ctid")
    if names := [f"{each}" for each in others[: FEW + 1]]:
        more = " and others" if len(names) > FEW else ""
        yield f"The host name {hostname} is also that of {', '.join(names[:FEW])}{more}."


def of_address(node: Node, text: str) -> Iterator[str]:
    """One of no pool is nobody's to route but the network's."""
    address = addresses.parse(text)
    pools = Node.objects.exclude(pool="").values_list("pool", flat=True)
    if not any(address in pool.parse(each) for each in pools):
        yield (
            f"The address {text} is in no node's pool: it is reached only if the network routes "
            f"it to node {node}."
        )
