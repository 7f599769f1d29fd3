"""What prepare found and changed on this machine: it lives, like that, until the next boot."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem


@dataclass(frozen=True)
class Record:
    """without, no_nat, uncounted: sentences saying why containers have no network, no NAT or no
    limit of connections; else empty.

    before: kernel settings as they were before prepare changed them.
    """

    pool: str = ""
    without: str = "the network of this node has not been prepared"
    no_nat: str = ""
    uncounted: str = ""
    ipv6: bool = False
    firewall: str = ""
    before: Mapping[str, str] = field(default_factory=dict)

    @property
    def network(self) -> IPv4Network:
        if not self.pool:
            raise OperationError(Problem.NETWORK_OFF, why=self.without)
        return IPv4Network(self.pool)


def path(conf: NodeConf) -> Path:
    return conf.run / "network.json"


def load(conf: NodeConf) -> Record:
    return read(path(conf))


def save(conf: NodeConf, record: Record) -> None:
    path(conf).parent.mkdir(parents=True, exist_ok=True)
    write(path(conf), record)


def read(file: Path) -> Record:
    try:
        return Record(**json.loads(file.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return Record()


def write(file: Path, record: Record) -> None:
    """Whole or not at all: starts read it at any time."""
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(asdict(record), indent=1) + "\n")
    new.replace(file)
