"""Whether the owners of files on <vz> can be shown as others: found once, by set-up."""

from containers.node import idmap
from containers.node.conf import NodeConf

YES = "yes"


def unmappable(conf: NodeConf) -> str:
    """Why they can't; empty when they can."""
    try:
        said = (conf.run / "idmap").read_text().strip()
    except FileNotFoundError:
        said = found(conf)
    return "" if said == YES else said


def note(conf: NodeConf) -> None:
    """Look, and write it down: <run>/idmap."""
    (conf.run / "idmap").write_text(f"{found(conf)}\n")


def found(conf: NodeConf) -> str:
    return idmap.missing(conf.vz) or YES
