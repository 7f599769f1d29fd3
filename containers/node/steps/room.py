"""Steps that refuse what is new where there is no room for it; what there is goes on."""

from containers.node import kept
from containers.node.ct import Ct
from containers.node.errors import NoSpace, Problem
from containers.node.plan import Step
from containers.node.storage import reserve


def check_pool(ct: Ct) -> None:
    reserve.require(ct.paths.node)


def check_kept(ct: Ct) -> None:
    """A snapshot more, or a replaced system for which the oldest goes."""
    spared = kept.REPLACED_MANY - 1 if ct.params.get("keep_until") else kept.REPLACED_MANY
    found = kept.look(ct.paths, ct.storage, ct.spec.diskspace, replaced=spared)
    if found and found.bytes + found.disk > found.allowed:
        raise NoSpace(
            Problem.KEEPS_TOO_MUCH,
            snapshots=found.snapshots,
            replaced=found.replaced,
            new=found.disk,
            allowed=found.allowed,
        )


CHECK_POOL = Step("check-pool", "check that the node's disk has room", do=check_pool)
CHECK_KEPT = Step("check-kept-room", "check how much of it is kept", do=check_kept)
