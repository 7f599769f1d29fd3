"""What scripts of OpenVZ do that is done in another way here: told when one is imported.

The text is taken as it is: only whoever wrote it knows what it is for.
"""

import re
from enum import Enum


class Habit(Enum):
    """What a script has in it, and what to do instead."""

    SIMFS = (
        r"simfs\b",
        "it mounts with simfs, which only OpenVZ's kernel has: mount --bind does the same here,"
        ' see "Sharing a folder" in docs/scripts.md',
    )
    VENET = (
        r"venet\d*\b",
        "it uses venet0, which is not here: each container has an interface of its own on the node"
        ' (HOST_IFNAME in ve.conf), see "Traffic shaping" in docs/network.md',
    )
    VETH = (
        r"veth\d+\.\d+|veth\$|VETH|vznetcfg",
        "it uses the names of OpenVZ's veth interfaces: HOST_IFNAME in ve.conf is the one here,"
        ' see "Traffic shaping" in docs/network.md',
    )
    PRIVATE = (
        r"VE_PRIVATE\}?\"?/(?!fs\b|scripts\b)",
        "it looks for the container's files in $VE_PRIVATE: here they are in $VE_PRIVATE/fs, and"
        " in $VE_ROOT while it is mounted",
    )
    BEANCOUNTERS = (
        r"/proc/(?:user_beancounters|bc|vz|fairsched)\b",
        "it reads files that only OpenVZ's kernel has: pctl list -o … tells what a container uses",
    )
    VZCTL = (
        r"(?:vzctl|vzlist)\b",
        "it calls vzctl or vzlist: pctl takes the same words, but waits for nobody (9) while an"
        " operation is at work on the container, and this script is part of one",
    )
    IMAGES = (
        r"(?:ploop|vzquota)\b",
        "it calls ploop or vzquota: here a container's files are in a subvolume with a limit of"
        " its own, see --diskspace",
    )

    def __init__(self, words: str, told: str) -> None:
        self.pattern = re.compile(rf"(?<![\w-])(?:{words})".encode())
        self.told = told

    @property
    def sentence(self) -> str:
        return f"{self.told}."


def of(body: bytes) -> list[Habit]:
    """Comments apart."""
    text = b"\n".join(line for line in body.split(b"\n") if not line.lstrip().startswith(b"#"))
    return [habit for habit in Habit if habit.pattern.search(text)]
