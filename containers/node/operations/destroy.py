"""Delete a container and all that is its own. No script runs; nothing brings it back."""

from containers.node import steps
from containers.node.plan import Plan, Refusal
from containers.node.states import State

DESTROYING = [steps.DELETE, steps.DELETE_PRIVATE, steps.DELETE_CONF]

PLAN = Plan(
    "Destroy",
    entry={
        State.STOPPED: DESTROYING,
        State.BROKEN: DESTROYING,
        State.SUSPENDED: DESTROYING,
        State.CREATING: DESTROYING,
        State.RUNNING: Refusal(32, "the container is running; stop it first"),
        State.PAUSED: Refusal(32, "the container is paused; stop it first"),
        State.MOUNTED: Refusal(41, "the container is mounted; dismount it first"),
    },
    removes=True,
)
