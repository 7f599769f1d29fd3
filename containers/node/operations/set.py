"""Bring a container's settings to it: to its files, and while it runs to its processes."""

from containers.node import steps
from containers.node.plan import Plan
from containers.node.states import State

APPLYING = [steps.CHECK_FREE, steps.APPLY, steps.WRITE_CONF]

PLAN = Plan(
    "Change settings",
    entry={
        State.STOPPED: APPLYING,
        State.MOUNTED: APPLYING,
        State.RUNNING: APPLYING,
        State.PAUSED: APPLYING,
        State.SUSPENDED: APPLYING,
    },
)
