"""Keep a container's processes and end them, run the umount scripts, dismount: vzctl's order.

The stop script does not run. An umount script that refuses leaves it mounted, and suspended.
"""

from containers.node import steps
from containers.node.errors import Code, Problem
from containers.node.operations import start
from containers.node.plan import Plan, Refusal, Steps
from containers.node.states import State
from containers.node.steps import snapshotting, suspending

NOT_RUNNING = Refusal(Problem.NOT_RUNNING)
LEAVING = Steps(
    [
        start.UMOUNT_OWN,
        start.UMOUNT_GLOBAL,
        steps.DISMOUNT,
        *steps.POSTUMOUNT_SCRIPTS.but(ignore_failure=True),
    ]
).only(start.remounts)

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
            *LEAVING.but(steps.DISMOUNT, leaves=State.SUSPENDED),
        ],
        State.STOPPED: NOT_RUNNING,
        State.MOUNTED: NOT_RUNNING,
        State.SUSPENDED: Refusal(Problem.ALREADY_SUSPENDED, Code.OK),
    },
)
