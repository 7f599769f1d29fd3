"""Steps that only look, and refuse."""

from containers.node import observed
from containers.node.ct import Ct
from containers.node.errors import Problem, Refused
from containers.node.network.taken import require_free
from containers.node.plan import Step


def check_disabled(ct: Ct) -> None:
    if ct.spec.disabled and not ct.params.get("force"):
        raise Refused(Problem.DISABLED)


def check_free(ct: Ct) -> None:
    require_free(ct.paths.node, ct.ctid, ct.spec.ips)


def check_mounted(ct: Ct) -> None:
    if not observed.mounted(ct.paths.root):
        raise Refused(Problem.SUSPENDED)


def check_dismounted(ct: Ct) -> None:
    if observed.mounted(ct.paths.root):
        raise Refused(Problem.STILL_MOUNTED)


# Of a suspended one, which an umount script that fails leaves mounted
CHECK_MOUNTED = Step("check-mounted", "check that it is mounted", do=check_mounted)
CHECK_DISMOUNTED = Step("check-dismounted", "check that it is dismounted", do=check_dismounted)
CHECK_DISABLED = Step("check-disabled", "check that it may start", do=check_disabled)
CHECK_FREE = Step("check-addresses", "check that its addresses are free", do=check_free)
