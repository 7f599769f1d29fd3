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


def remounts(ct: Ct) -> bool:
    """Whether it is mounted afresh: unless told not to (skip_remount), or an umount script has
    refused.
    """
    kept = ct.ignored & {UMOUNT_OWN.key, UMOUNT_GLOBAL.key}
    return not kept and not ct.params.get("skip_remount")


UMOUNT_OWN = steps.script(Scope.OWN, UMOUNT).but(ignore_failure=True)
UMOUNT_GLOBAL = steps.script(Scope.GLOBAL, UMOUNT).but(ignore_failure=True)

OWN_START = steps.script(Scope.OWN, START)

MOUNTING = Steps(
    [
        steps.script(Scope.GLOBAL, PREMOUNT),
        steps.script(Scope.OWN, PREMOUNT),
        steps.MOUNT,
        steps.script(Scope.GLOBAL, MOUNT),
        steps.script(Scope.OWN, MOUNT),
    ]
)
BOOTING = Steps([steps.CONFIGURE, steps.WRITE_BUNDLE, steps.CREATE, OWN_START, steps.BOOT])
FIRST = [steps.CHECK_DISABLED, steps.CHECK_FREE, steps.WRITE_CONF, steps.WRITE_SCRIPTS]
STARTING = [*FIRST, *MOUNTING, *BOOTING]
DISMOUNT = steps.DISMOUNT.but(commits=False)
REMOUNTING = (
    Steps([UMOUNT_OWN, UMOUNT_GLOBAL, DISMOUNT, *MOUNTING])
    .only(remounts)
    .spare(asked("skip_remount"))
)
DISCARDING = [suspending.CHECK_DISCARD, *FIRST, steps.CHECK_WAY_UP, suspending.THROW_AWAY]

PLAN = Plan(
    "Start",
    entry={
        State.STOPPED: STARTING,
        State.MOUNTED: [*DISCARDING, *REMOUNTING, *BOOTING],
        State.SUSPENDED: [*DISCARDING, *MOUNTING, *BOOTING],
        State.RUNNING: Refusal(Problem.ALREADY_RUNNING),
    },
)
