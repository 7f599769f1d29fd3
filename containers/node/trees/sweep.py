"""Empty directories of a tree, whatever was put there: no link is followed, no depth is too deep.

For trees that nobody changes meanwhile, as a template's that is being built.
"""

import os
import secrets

from containers.node.descriptors import closing
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import SafeTree

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(tree: SafeTree, path: str, *, folders: int = 0) -> int:
    """Remove what is below a directory; returns how many files, links and others it was.

    folders: levels of directories below it that stay, empty.
    """
    with tree.opened(path, Links.ON_THE_WAY) as top, tree.telling(path):
        return emptied(top, folders)


def sweep(tree: SafeTree, path: str) -> int:
    """Remove a directory and all below it; returns how many files, links and others it was."""
    with tree.folder(path, Links.ON_THE_WAY) as (folder, name), tree.telling(path):
        return removed(folder, name)


def emptied(folder: int, folders: int) -> int:
    count = 0
    for name, is_folder in listed(folder):
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            count += 1
        elif folders:
            with closing(os.open(name, FOLDER, dir_fd=folder)) as inner:
                count += emptied(inner, folders - 1)
        else:
            count += removed(folder, name)
    return count


def removed(folder: int, name: str) -> int:
    """Directories in it are brought up beside it first: however deep, two are open at a time."""
    count, waiting = 0, [name]
    while waiting:
        name = waiting.pop()
        with closing(os.open(name, FOLDER, dir_fd=folder)) as inner:
            for found, is_folder in listed(inner):
                if is_folder:
                    waiting.append(f".panel-{secrets.token_hex(8)}")
                    os.rename(found, waiting[-1], src_dir_fd=inner, dst_dir_fd=folder)
                else:
                    os.unlink(found, dir_fd=inner)
                    count += 1
        os.rmdir(name, dir_fd=folder)
    return count


def listed(folder: int) -> list[tuple[str, bool]]:
    """Names, and whether each is a directory: a link to one is none."""
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
