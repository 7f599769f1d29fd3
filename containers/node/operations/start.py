"""Mount the private area, run the scripts, boot.

Should a script refuse, what came before it is undone. That is all in the documented profile;
with vzctl's, the umount scripts run too once the container was made. A mounted container is
dismounted first; when its umount scripts refuse, it starts from the mount that stands (vzctl).
A suspended one starts only if its kept processes may be thrown away: params, discard.
"""

from containers.node import steps
from containers.node.actions import MOUNT, PREMOUNT, START, UMOUNT, Scope
from containers.node.ct import Ct
from containers.node.errors import Problem
from containers.node.plan import Plan, Refusal, Steps, asked
from containers.node.states import State
from containers.node.steps import suspending
from containers.node.steps.mounting import is_mounted


def remounts(ct: Ct) -> bool:
    """Whether it is mounted afresh: unless told not to (skip_remount), or an umount script has
    refused.
    """
    return not refused(ct) and not ct.params.get("skip_remount")


UMOUNT_OWN = steps.script(Scope.OWN, UMOUNT).but(ignore_failure=True)
UMOUNT_GLOBAL = steps.script(Scope.GLOBAL, UMOUNT).but(ignore_failure=True)

OWN_START = steps.script(Scope.OWN, START)

BEFORE_MOUNT = [steps.script(Scope.GLOBAL, PREMOUNT), steps.script(Scope.OWN, PREMOUNT)]
AFTER_MOUNT = [steps.script(Scope.GLOBAL, MOUNT), steps.script(Scope.OWN, MOUNT)]
MOUNT_SCRIPTS = (*BEFORE_MOUNT, *AFTER_MOUNT)
MOUNTING = Steps([*BEFORE_MOUNT, steps.MOUNT, *AFTER_MOUNT])
BOOTING = Steps([steps.CONFIGURE, steps.WRITE_BUNDLE, steps.CREATE, OWN_START, steps.BOOT])
FIRST = [steps.CHECK_DISABLED, steps.CHECK_FREE, steps.WRITE_CONF, steps.WRITE_SCRIPTS]
STARTING = [*FIRST, *MOUNTING, *BOOTING]
DISMOUNT = steps.DISMOUNT.but(commits=False)
REMOUNTING = (
    Steps([UMOUNT_OWN, UMOUNT_GLOBAL, DISMOUNT, *MOUNTING])
    .only(remounts)
    .spare(asked("skip_remount"))
)


def refused(ct: Ct) -> bool:
    """Whether an umount script has, so that the mount stands."""
    return bool(ct.ignored & {UMOUNT_OWN.key, UMOUNT_GLOBAL.key})


def afresh(ct: Ct) -> bool:
    return not refused(ct)


# Of a suspended one: mounted only where an umount script has failed before
LEAVING = Steps([UMOUNT_OWN, UMOUNT_GLOBAL, DISMOUNT]).only(is_mounted)
REMOUNTING_SUSPENDED = Steps([*LEAVING, *MOUNTING]).only(afresh)
DISCARDING = [suspending.CHECK_DISCARD, *FIRST, steps.CHECK_WAY_UP, suspending.THROW_AWAY]

PLAN = Plan(
    "Start",
    entry={
        State.STOPPED: STARTING,
        State.MOUNTED: [*DISCARDING, *REMOUNTING, *BOOTING],
        State.SUSPENDED: [*DISCARDING, *REMOUNTING_SUSPENDED, *BOOTING],
        State.RUNNING: Refusal(Problem.ALREADY_RUNNING),
    },
)
