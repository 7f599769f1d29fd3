"""A publication: a node writes its global scripts and hooks, as the panel has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.models.node import Node
from containers.models.operation import Operation, Via

if TYPE_CHECKING:
    from django.contrib.auth.models import User

RESOURCE = "global scripts"


def publish(
    node: Node, *, by: User | None = None, via: str = Via.BROWSER, replace: bool = False
) -> Operation:
    """Queue one. Raises Busy. replace: files that the panel did not write, too."""
    params = {"replace_scripts": True} if replace else {}
    return Operation.request_on(node, "publish", RESOURCE, by=by, via=via, params=params)


def last(node: Node) -> Operation | None:
    return Operation.objects.filter(node=node, resource=RESOURCE).first()
