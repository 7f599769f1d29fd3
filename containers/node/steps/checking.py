"""Steps that only look, and refuse."""

from containers.node.ct import Ct
from containers.node.errors import Problem, Refused
from containers.node.network.taken import require_free
from containers.node.plan import Step


def check_disabled(ct: Ct) -> None:
    if ct.spec.disabled and not ct.params.get("force"):
        raise Refused(Problem.DISABLED)


def check_free(ct: Ct) -> None:
    require_free(ct.paths.node, ct.ctid, ct.spec.ips)


CHECK_DISABLED = Step("check-disabled", "check that it may start", do=check_disabled)
CHECK_FREE = Step("check-addresses", "check that its addresses are free", do=check_free)
