"""What is known of a snapshot without the panel: snapshot.json, beside its images."""

import json
from dataclasses import asdict, dataclass, replace

from containers.node.checkpoint.saved import Saved
from containers.node.errors import OperationError, Problem


@dataclass(frozen=True)
class Record:
    """version: of the format; created: ISO 8601, UTC; caps: the mask of the processor.

    disk: what tells the snapshot's disk from any other; memory: bytes of the images. criu: empty
    when no processes were dumped. base, size: of its user ids on the node. mounts: what scripts
    had mounted.
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
    devices: tuple[str, ...] = ()
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
        raise OperationError(Problem.RECORD_UNREADABLE) from e


def with_processes(known: Record, saved: Saved, version: str, caps: int) -> Record:
    """The same, with what a restore of its processes has to find."""
    config = json.loads(saved.config.read_text())
    binds = [each["destination"] for each in config["mounts"] if each["type"] == "bind"]
    devices = [each["path"] for each in config["linux"].get("devices", ())]
    return replace(
        known,
        criu=version,
        caps=caps,
        memory=saved.size,
        mounts=tuple(binds),
        devices=tuple(devices),
    )
