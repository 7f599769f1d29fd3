"""Mount a suspended container, run its mount scripts, let its processes go on: vzctl's order.

One that an umount script has left mounted is dismounted first; should that refuse again, its mounts
are used if they are all there. The start script does not run. Should it fail, the umount scripts
run, it is dismounted, and stays suspended.
"""

from containers.node import steps
from containers.node.ct import Ct
from containers.node.errors import Problem
from containers.node.operations import start
from containers.node.plan import Plan, Refusal
from containers.node.states import State
from containers.node.steps import suspending

FIRST = [
    suspending.CHECK,
    steps.CHECK_DISABLED,
    steps.CHECK_FREE,
    steps.WRITE_CONF,
    steps.WRITE_SCRIPTS,
]
LAST = [suspending.RESUME, suspending.DROP]


def stays(ct: Ct) -> bool:
    """Whether an umount script has refused, and all that its processes need is mounted still."""
    return start.refused(ct) and not ct.dismounted and suspending.stands(ct)


def remounts(ct: Ct) -> bool:
    return not stays(ct)


REMOUNTING = [
    *start.LEAVING.only(remounts, steps.DISMOUNT),
    *start.MOUNTING.only(remounts),
]

PLAN = Plan(
    "Resume",
    entry={
        State.SUSPENDED: [*FIRST, *REMOUNTING, *LAST],
        State.MOUNTED: Refusal(Problem.NOT_SUSPENDED),
        State.STOPPED: Refusal(Problem.NOT_SUSPENDED),
        State.RUNNING: Refusal(Problem.ALREADY_RUNNING),
    },
)
