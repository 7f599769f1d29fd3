"""Mount the private area, run the scripts, boot.

Should a script refuse, what came before it is undone. That is all in the documented profile;
with vzctl's, the umount scripts run too once the container was made. A mounted container is
dismounted first; when its umount scripts refuse, it starts from the mount that stands (vzctl).
"""

from containers.node import steps
from containers.node.actions import MOUNT, PREMOUNT, START, UMOUNT, Scope
from containers.node.ct import Ct
from containers.node.plan import Plan, Refusal
from containers.node.states import State


def dismounted(ct: Ct) -> bool:
    """Whether no umount script refused: the mount scripts then run on a fresh mount."""
    return not ct.ignored & {UMOUNT_OWN.key, UMOUNT_GLOBAL.key}


UMOUNT_OWN = steps.script(Scope.OWN, UMOUNT).but(ignore_failure=True)
UMOUNT_GLOBAL = steps.script(Scope.GLOBAL, UMOUNT).but(ignore_failure=True)
OWN_WHEN, GLOBAL_WHEN = UMOUNT_OWN.when, UMOUNT_GLOBAL.when

MOUNTING = [
    steps.script(Scope.GLOBAL, PREMOUNT),
    steps.script(Scope.OWN, PREMOUNT),
    steps.MOUNT,
    steps.script(Scope.GLOBAL, MOUNT),
    steps.script(Scope.OWN, MOUNT),
]
BOOTING = [
    steps.CONFIGURE,
    steps.WRITE_BUNDLE,
    steps.CREATE,
    steps.script(Scope.OWN, START),
    steps.BOOT,
]
FIRST = [steps.CHECK_DISABLED, steps.CHECK_FREE, steps.WRITE_CONF, steps.WRITE_SCRIPTS]
STARTING = [*FIRST, *MOUNTING, *BOOTING]

PLAN = Plan(
    "Start",
    entry={
        State.STOPPED: STARTING,
        State.MOUNTED: [
            *FIRST,
            UMOUNT_OWN,
            UMOUNT_GLOBAL.but(when=lambda ct: dismounted(ct) and GLOBAL_WHEN(ct)),
            steps.DISMOUNT.but(when=dismounted, commits=False),
            *(step.but(when=lambda ct, when=step.when: dismounted(ct) and when(ct))
              for step in MOUNTING),
            *BOOTING,
        ],
        State.RUNNING: Refusal(32, "the container is already running"),
    },
)  # fmt: skip
