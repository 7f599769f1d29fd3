"""Mount a suspended container, run its mount scripts, let its processes go on: vzctl's order.

The start script does not run. Should it fail, the umount scripts run, it is dismounted, and stays
suspended.
"""

from containers.node import steps
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

PLAN = Plan(
    "Resume",
    entry={
        State.SUSPENDED: [*FIRST, *start.MOUNTING, *LAST],
        State.MOUNTED: [*FIRST, *start.REMOUNTING, *LAST],
        State.STOPPED: Refusal(Problem.NOT_SUSPENDED),
        State.RUNNING: Refusal(Problem.ALREADY_RUNNING),
    },
)
