"""Delete a container and all that is its own. No script runs; nothing brings it back."""

from containers.node import steps
from containers.node.errors import Problem
from containers.node.plan import Plan, Refusal
from containers.node.states import State

DESTROYING = [steps.DELETE, steps.DELETE_PRIVATE, steps.DELETE_CONF]

PLAN = Plan(
    "Destroy",
    entry={
        State.STOPPED: DESTROYING,
        State.BROKEN: DESTROYING,
        State.SUSPENDED: [steps.CHECK_DISMOUNTED, *DESTROYING],
        State.CREATING: DESTROYING,
        State.RUNNING: Refusal(Problem.STILL_RUNNING),
        State.PAUSED: Refusal(Problem.STILL_PAUSED),
        State.MOUNTED: Refusal(Problem.STILL_MOUNTED),
    },
    removes=True,
)
