"""Where the parts of one snapshot are.

<vz>/snapshots/CTID/UUID/   fs, img/, config.json, ve.conf, scripts/, mounts/, snapshot.json,
                            manifest
<private>/dump/             the same for a suspended container, but for fs

While a snapshot is being made it has another name, so what has its own name is whole.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from containers.node.errors import BadValue, BadValues
from containers.node.layout import Layout
from containers.node.storage import Storage, removal

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@dataclass(frozen=True)
class Saved:
    path: Path

    @property
    def fs(self) -> Path:
        return self.path / "fs"

    @property
    def images(self) -> Path:
        return self.path / "img"

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def ve_conf(self) -> Path:
        return self.path / "ve.conf"

    @property
    def groups(self) -> Path:
        """The control groups that a container's systemd had made, a line each."""
        return self.path / "groups"

    @property
    def scripts(self) -> Path:
        return self.path / "scripts"

    @property
    def mounts(self) -> Path:
        """What mount scripts had mounted, with the contents of what is its own."""
        return self.path / "mounts"

    @property
    def record(self) -> Path:
        return self.path / "snapshot.json"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest"

    @property
    def processes(self) -> bool:
        """Whether processes were dumped into it."""
        return (self.images / "inventory.img").exists()

    @property
    def size(self) -> int:
        """Bytes of the images."""
        if not self.images.is_dir():
            return 0
        return sum(each.stat().st_size for each in self.images.iterdir())


def published(paths: Layout, uuid: str) -> Saved:
    return Saved(paths.snapshots / checked(uuid))


def draft(paths: Layout, uuid: str) -> Saved:
    return Saved(paths.snapshots / f".new-{checked(uuid)}")


def at_hand(paths: Layout, uuid: str) -> Saved:
    """Under the one name or the other."""
    done = published(paths, uuid)
    return done if done.path.exists() else draft(paths, uuid)


def dump(paths: Layout) -> Saved:
    """Of a suspended container."""
    return Saved(paths.private / "dump")


def new_dump(paths: Layout) -> Saved:
    """While it is made: the container is suspended once it has its own name."""
    return Saved(paths.private / "dump.new")


def listed(paths: Layout) -> list[str]:
    """The UUIDs of a container's whole snapshots."""
    try:
        return sorted(name for name in os.listdir(paths.snapshots) if UUID.match(name))
    except FileNotFoundError:
        return []


def remove(saved: Saved, storage: Storage) -> None:
    """Nothing there is fine. Its disk first: nobody can delete in a read-only area."""
    removal.remove(storage, saved.fs)
    removal.remove(storage, saved.path)


def checked(uuid: str) -> str:
    if not UUID.match(uuid):
        raise BadValue(BadValues.NOT_A_SNAPSHOT, word=uuid)
    return uuid
