"""ctshare FOLDER PLACE: a folder of the node in a container that may write to it.

For mount scripts, whose environment says which container it is. On the disk what the container's
root makes there is root's, and so on for each id; with --ids FIRST it is that one's.
"""

import argparse
import os
import sys
from pathlib import Path

from containers.node import idmap, veconf
from containers.node.errors import OperationError
from containers.node.idmap import Ids
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import Kind, SafeTree


def main(arguments: list[str]) -> str | None:
    """What went wrong."""
    parser = argparse.ArgumentParser(prog="ctshare", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the node")
    parser.add_argument("place", help="where it is in the container; it is made if it is missing")
    parser.add_argument("--ids", type=int, default=0, help="that stand for its 0, 1, 2, … on disk")
    given = parser.parse_args(arguments)
    conf = veconf.read(Path(os.environ.get("VE_CONFFILE", "")))
    if not conf.get("HOST_UID_BASE"):
        return "ctshare: VE_CONFFILE is not the file of a container: this is for mount scripts."
    ids = Ids(given.ids, int(conf["HOST_UID_BASE"]), int(conf["UID_SIZE"]))
    try:
        share(given.folder, Path(conf["VE_ROOT"]), given.place, ids, int(conf["UID_BASE"]))
    except (OperationError, OSError) as error:
        return f"ctshare: {given.folder} is not shared: {error}"
    return None


def share(folder: Path, root: Path, place: str, ids: Ids, base: int) -> None:
    """base: the owner of what is made in root. Links in the container lead nowhere outside."""
    with SafeTree(root, base=base, size=ids.size) as tree:
        tree.mkdir(place)
        with tree.found(place, Links.INSIDE, Kind.DIRECTORY) as target:
            idmap.attach_at(folder, target, ids)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
