"""Where this node keeps things: read from the environment, once.

PANEL_STATE_DIR     the panel's own state; default: ./var beside the code
PANEL_VZ_DIR        templates, private areas, snapshots; default: <state>/vz
PANEL_VZ_CONF_DIR   vz.conf and conf/; default: <state>/etc
PANEL_NODE          this node's name; default: the host's name up to the first dot
PANEL_OPENVZ_DIR    where scripts of OpenVZ lie, and look; default: /etc/vz
PANEL_RUN_DIR       what is gone after a reboot; default: /run/panel
"""

import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from containers.node.errors import BadValue, BadValues

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class NodeConf:
    name: str
    state: Path
    vz: Path
    etc: Path
    runs: Path = Path("/run/panel")
    openvz: Path = Path("/etc/vz")

    @property
    def instance(self) -> str:
        """Eight hex digits that tell two panels on one machine apart."""
        return hashlib.sha256(f"{self.state}".encode()).hexdigest()[:8]

    @property
    def run(self) -> Path:
        """Sockets, bundles, runc's root: gone after a reboot, and short (sockets: 108 bytes)."""
        return self.runs / self.instance

    @property
    def spool(self) -> Path:
        """One folder an operation, and one a monitor."""
        return self.state / "spool"

    @property
    def doorbell(self) -> Path:
        """The datagram socket on which runners and monitors tell the node to look."""
        return self.run / "node.sock"

    @property
    def vz_conf(self) -> Path:
        return self.etc / "vz.conf"

    @property
    def scripts(self) -> Path:
        """Where the global scripts and hooks are."""
        return self.etc / "conf"

    @property
    def script_places(self) -> list[Path]:
        """Where scripts of OpenVZ may lie: there, and in OpenVZ's own place if that is another."""
        other = self.openvz / "conf"
        same = other.resolve() == self.scripts.resolve()
        return [self.scripts] if same else [self.scripts, other]

    @property
    def templates(self) -> Path:
        return self.vz / "template"

    @property
    def cgroup(self) -> str:
        """The path, in every cgroup hierarchy, below which everything of this panel runs."""
        return f"/panel/{self.instance}"


def load(environ: Mapping[str, str] = os.environ) -> NodeConf:
    """Raises BadValue when a path has white space: paths stand in files that shells source."""
    state = Path(environ.get("PANEL_STATE_DIR") or CHECKOUT / "var").absolute()
    conf = NodeConf(
        name=environ.get("PANEL_NODE") or socket.gethostname().split(".")[0],
        state=state,
        vz=Path(environ.get("PANEL_VZ_DIR") or state / "vz").absolute(),
        etc=Path(environ.get("PANEL_VZ_CONF_DIR") or state / "etc").absolute(),
        runs=Path(environ.get("PANEL_RUN_DIR") or "/run/panel").absolute(),
        openvz=Path(environ.get("PANEL_OPENVZ_DIR") or "/etc/vz").absolute(),
    )
    for path in (conf.state, conf.vz, conf.etc, conf.runs, conf.openvz):
        if set(f"{path}") & set(" \t\n\"'`$\\"):
            raise BadValue(BadValues.PATH_QUOTED, path=path)
    return conf
