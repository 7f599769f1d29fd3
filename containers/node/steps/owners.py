"""Which ids a container runs with, and what follows for the owners of its files."""

from pathlib import Path

from containers.node import ids, veconf
from containers.node.ct import Ct
from containers.node.steps.configuring import of_ids, write_conf
from containers.node.storage.owners import unmappable
from containers.node.templates.shift import Shift


def claim(ct: Ct) -> None:
    """Have a range of ids of its own. One made before there were any gets it now."""
    before, own = ct.ids, ids.give(ct.paths.node, ct.ctid, ct.spec.uid_base)
    ct.ranges[ct.ctid] = own
    if before != own and ct.paths.ve_conf.exists():
        ct.say(f"Its user ids on the node are {own.base} to {own.base + own.size - 1} from now on.")
    if ct.spec.uid_base != own.base:
        ct.fact("uid_base", own.base)


def settle(ct: Ct, area: Path) -> None:
    """Where this kernel can't show ids as others, its files have those on the disk, too."""
    there, own = ids.on_disk(ct.paths.node, area), ct.ids
    if there != own and (why := unmappable(ct.paths.node)):
        ct.say(f"The owners of its files are changed, for {why}.")
        Shift(own.base, own.size, source=there.base).tree(area)


def make_ready(ct: Ct) -> None:
    """Before its area is mounted: scripts read in ve.conf whose files they will find there."""
    claim(ct)
    settle(ct, ct.paths.fs)
    said = veconf.read(ct.paths.ve_conf)
    if said and any(said.get(key) != value for key, value in of_ids(ct).items()):
        write_conf(ct)
