"""Which node this is, and whose containers are here."""

from django.conf import settings

from containers.models import Container, Node
from containers.node.errors import OperationError


def this_node() -> Node:
    node = Node.objects.filter(name=settings.NODE.name).first()
    if node is None:
        raise OperationError(f"the node {settings.NODE.name} is not set up: make run does that")
    return node


def here(node: Node) -> bool:
    return node.name == str(settings.NODE.name)


def require_here(container: Container) -> None:
    """What is done with our own terminal can only be done on the container's own node."""
    if not here(container.node):
        raise OperationError(f"{container} is on the node {container.node}: run pctl there")
