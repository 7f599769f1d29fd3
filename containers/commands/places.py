"""Which node this is, and whose containers are here."""

from django.conf import settings

from containers.models import Container, Node
from containers.node.errors import OperationError, Problem


def this_node() -> Node:
    node = Node.objects.filter(name=settings.NODE.name).first()
    if node is None:
        raise OperationError(Problem.NODE_NOT_SET_UP, node=settings.NODE.name)
    return node


def here(node: Node) -> bool:
    return node.name == str(settings.NODE.name)


def require_here(container: Container) -> None:
    """What is done with our own terminal can only be done on the container's own node."""
    if not here(container.node):
        raise OperationError(Problem.ON_OTHER_NODE, ctid=container.ctid, node=container.node)
