"""Where the parts of one snapshot are, and what is known of it without the panel.

<vz>/snapshots/CTID/UUID/   fs, img/, config.json, ve.conf, scripts/, snapshot.json, manifest
<private>/dump/             the same for a suspended container, but for fs and scripts

While a snapshot is being made it has another name, so what has its own name is whole.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from containers.node.errors import BadValue, Code, OperationError
from containers.node.layout import Layout

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
    def scripts(self) -> Path:
        return self.path / "scripts"

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


def checked(uuid: str) -> str:
    if not UUID.match(uuid):
        raise BadValue(f"{uuid!r} is not the UUID of a snapshot")
    return uuid


@dataclass(frozen=True)
class Record:
    """version: of the format; created: ISO 8601, UTC; caps: the mask of the processor.

    disk: what tells the snapshot's disk from any other; memory: bytes of the images. criu: empty
    when no processes were dumped. base, size: of the user ids. mounts: what scripts had mounted.
    """

    version: int
    uuid: str
    ctid: int
    created: str
    processes: bool
    hostname: str = ""
    name: str = ""
    note: str = ""
    template: str = ""
    addresses: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    init: str = ""
    arch: str = ""
    kernel: str = ""
    criu: str = ""
    caps: int = 0
    base: int = 0
    size: int = 0
    memory: int = 0
    disk: str = ""


def write(saved: Saved, record: Record) -> None:
    saved.record.write_text(json.dumps(asdict(record), indent=1) + "\n")


def read(saved: Saved) -> Record:
    """Raises OperationError when there is none, or it isn't one."""
    try:
        values = json.loads(saved.record.read_text())
        known = {key: values[key] for key in Record.__dataclass_fields__ if key in values}
        lists = {key: tuple(value) for key, value in known.items() if isinstance(value, list)}
        return Record(**{**known, **lists})
    except (OSError, ValueError, TypeError, AttributeError) as e:
        raise OperationError("what is known of the snapshot can't be read", Code.RESTORE) from e
