"""Keep a container's processes and end them, run the umount scripts, dismount: vzctl's order.

The stop script does not run. An umount script that refuses leaves it mounted, and suspended.
"""

from containers.node import steps
from containers.node.errors import Code, Problem
from containers.node.operations import start
from containers.node.plan import Plan, Refusal
from containers.node.states import State
from containers.node.steps import snapshotting, suspending

NOT_RUNNING = Refusal(Problem.NOT_RUNNING)
LEAVING = [
    *map(start.to_remount, (start.UMOUNT_OWN, start.UMOUNT_GLOBAL, steps.DISMOUNT)),
    *(start.to_remount(step).but(ignore_failure=True) for step in steps.POSTUMOUNT_SCRIPTS),
]

PLAN = Plan(
    "Suspend",
    entry={
        State.RUNNING: [
            snapshotting.CHECK,
            steps.KEEP_SCRIPTS,
            suspending.BEGIN,
            suspending.DUMP,
            suspending.SEAL,
            suspending.SETTLE,
            steps.DELETE,
            *(step.but(leaves=State.SUSPENDED) if step.leaves else step for step in LEAVING),
        ],
        State.STOPPED: NOT_RUNNING,
        State.MOUNTED: NOT_RUNNING,
        State.SUSPENDED: Refusal(Problem.ALREADY_SUSPENDED, Code.OK),
    },
)
