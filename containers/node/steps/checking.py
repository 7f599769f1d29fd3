"""Steps that only look, and refuse.

What stops a container and starts it again looks at the way up first, so that nothing is stopped
that could not be started afterwards: whether it may start, its addresses, the scripts that will
run, its init and what its runtime needs of its files, and the limits it will have.
"""

from pathlib import Path

from containers.node import ids, observed
from containers.node.actions import MOUNT, PREMOUNT, START, Action, Scope
from containers.node.bundle import require_plain_accounts, require_real_places
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem, Refused, ScriptFailed
from containers.node.network.taken import require_free
from containers.node.plan import Step
from containers.node.script_files import readable
from containers.node.scripts import present, shell_in
from containers.node.states import State
from containers.node.steps.limiting import require_memory
from containers.node.steps.replaced import place
from containers.node.templates.init import NoInit, detect


def check_disabled(ct: Ct) -> None:
    if ct.spec.disabled and not ct.params.get("force"):
        raise Refused(Problem.DISABLED)


def check_free(ct: Ct) -> None:
    require_free(ct.paths.node, ct.ctid, ct.spec.ips)


def check_way_up(ct: Ct) -> None:
    """The system it has, as it is now."""
    check_system(ct, ct.paths.fs)
    if ct.spec.ram and ct.state is State.RUNNING:
        require_memory(ct)


def check_new(ct: Ct) -> None:
    """The system that a reinstallation has built."""
    check_system(ct, ct.paths.fs_tmp)


def check_replaced(ct: Ct) -> None:
    """The system that it had before."""
    check_system(ct, place(ct) / "fs")


def check_system(ct: Ct, fs: Path) -> None:
    """Raises what starting it would have raised, once the container was down."""
    ids.on_disk(ct.paths.node, fs)
    try:
        detect(fs)
    except NoInit as e:
        raise OperationError(Problem.NO_INIT) from e
    require_plain_accounts(fs)
    require_real_places(fs)
    require_readable(ct, PREMOUNT, MOUNT)
    if present(ct, Scope.OWN, START) and not ct.params.get("without_own_scripts"):
        require_readable(ct, START)
        shell_in(fs)


def check_return(ct: Ct) -> None:
    """Processes that come back need no init of their disk; mount scripts run before."""
    check_disabled(ct)
    check_free(ct)
    require_readable(ct, PREMOUNT, MOUNT)


def require_readable(ct: Ct, *actions: Action) -> None:
    for action in actions:
        for scope in action.scopes:
            path = ct.paths.script(scope, action)
            if present(ct, scope, action) and (why := readable(path)):
                raise ScriptFailed(
                    Problem.SCRIPT_UNREADABLE, scope=scope, action=action, path=path, why=why
                )


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
CHECK_WAY_UP = Step("check-way-up", "check that it can be started again", do=check_way_up)
CHECK_NEW_SYSTEM = Step("check-new-system", "check that it can be started", do=check_new)
CHECK_RETURN = Step("check-return", "check that it may run again", do=check_return)
CHECK_REPLACED = Step("check-replaced", "check that it can be started", do=check_replaced)
