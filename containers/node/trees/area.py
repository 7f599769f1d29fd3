"""A container's area as a tree, whatever ids its files have on the disk."""

from pathlib import Path

from containers.node import ids
from containers.node.conf import NodeConf
from containers.node.errors import BadTrees
from containers.node.trees.safe_tree import Missing, SafeTree


def tree_of(conf: NodeConf, area: Path) -> SafeTree:
    """Use it in a with statement. Raises Missing when there is no such area."""
    try:
        there = ids.on_disk(conf, area)
    except OSError as e:
        raise Missing(BadTrees.NOT_OPENED, path=area, why=e.strerror) from e
    return SafeTree(area, there.base, there.size)
