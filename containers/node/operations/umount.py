"""Run the umount scripts and dismount. Should a script refuse, it stays mounted."""

from containers.node import steps
from containers.node.errors import Problem
from containers.node.operations import stop
from containers.node.plan import Plan, Refusal
from containers.node.states import State

PLAN = Plan(
    "Dismount",
    entry={
        State.MOUNTED: [steps.KEEP_SCRIPTS, steps.DELETE, *stop.DISMOUNTING],
        State.SUSPENDED: [
            steps.CHECK_MOUNTED,
            steps.KEEP_SCRIPTS,
            steps.DELETE,
            *stop.DISMOUNTING.but(steps.DISMOUNT, leaves=State.SUSPENDED),
        ],
        State.STOPPED: Refusal(Problem.NOT_MOUNTED),
        State.RUNNING: Refusal(Problem.STILL_RUNNING),
    },
)
