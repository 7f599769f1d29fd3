"""What is due once a container has asked for a reboot: dismount, and start anew."""

from containers.node.operations import halted, start
from containers.node.plan import Plan
from containers.node.states import State

PLAN = Plan(
    "Reboot from inside",
    entry={
        State.MOUNTED: [*halted.AFTERWARDS, *start.STARTING],
        State.STOPPED: [*halted.AFTERWARDS, *start.STARTING],
        State.RUNNING: halted.PLAN.entry[State.RUNNING],
    },
)
