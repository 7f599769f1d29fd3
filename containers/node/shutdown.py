"""How a stopping node ends its containers, as its vz.conf says.

VE_STOP_MODE        stop or suspend; AUTOSTOP in a container's ve.conf goes first
VE_PARALLEL         how many at the same time
NODE_STOP_TIMEOUT   seconds; who has not ended by then is killed
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

STOP, SUSPEND, DEFAULT = "stop", "suspend", "default"
MODES = (STOP, SUSPEND)
CHOICES = (
    ("", "As the node does with others"),
    (STOP, "Stop it, with its scripts"),
    (SUSPEND, "Suspend it, and let it go on later"),
)
FOR_A_PROCESSOR = 4  # containers at the same time
LIMIT = 300  # seconds: more than an init has to halt
LONGEST = 840  # seconds: systemd gives all of it 15 minutes (deploy/panel-containers.service)
KILLING = 30  # seconds that the umount scripts of killed containers have, at the most


@dataclass(frozen=True)
class Shutdown:
    """limit: seconds until those that have not ended are killed."""

    mode: str
    at_once: int
    limit: int

    @classmethod
    def of(cls, vz_conf: Mapping[str, str], limit: int | None = None) -> "Shutdown":
        """A line that says nothing sensible is as none. limit: goes before that of vz.conf."""
        mode = vz_conf.get("VE_STOP_MODE", STOP)
        several = FOR_A_PROCESSOR * (os.cpu_count() or 1)
        return cls(
            mode if mode in MODES else STOP,
            number(vz_conf, "VE_PARALLEL") or several,
            min(limit if limit is not None else number(vz_conf, "NODE_STOP_TIMEOUT") or LIMIT,
                LONGEST),
        )  # fmt: skip


def number(vz_conf: Mapping[str, str], key: str) -> int | None:
    text = vz_conf.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
