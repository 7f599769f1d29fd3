"""A container's configuration where scripts of OpenVZ look for it: /etc/vz/conf/CTID.conf.

Only where set-up has made /etc/vz/vz.conf a link to this panel's: of two panels on one machine
one has the place. What others have there is left alone.
"""

import contextlib
import os
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.layout import Layout


def make(paths: Layout) -> None:
    """Best effort: nothing of the panel depends on it."""
    link = place(paths)
    if ours(paths.node) and not os.path.lexists(link):
        with contextlib.suppress(OSError):
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(paths.ve_conf)


def remove(paths: Layout) -> None:
    link = place(paths)
    if target(link) == f"{paths.ve_conf}":
        with contextlib.suppress(OSError):
            link.unlink()


def place(paths: Layout) -> Path:
    return paths.node.openvz / "conf" / f"{paths.ctid}.conf"


def ours(conf: NodeConf) -> bool:
    link = conf.openvz / conf.vz_conf.name
    return link != conf.vz_conf and target(link) == f"{conf.vz_conf}"


def target(link: Path) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(link)
    return ""
