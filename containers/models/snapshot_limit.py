"""How many snapshots of a container a customer may make."""

from containers.models.container import Container
from containers.node.errors import BadValue
from containers.node.settings import SNAPSHOTS_MAY


class TooMany(BadValue):
    """A customer has as many snapshots of a container as staff allow."""


def limit_of(container: Container) -> int:
    limit = container.snapshot_limit
    return SNAPSHOTS_MAY if limit is None else int(limit)
