"""What is due once a container's init was killed or has failed: as after a halt, and why is told.

It ends as a failure, with what its monitor saw: nobody asked for that end.
"""

from containers.node.operations import halted
from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import ending

AFTERWARDS = [ending.TELL, *halted.AFTERWARDS, ending.JUDGE]

PLAN = Plan(
    "Unexpected end",
    entry={
        State.MOUNTED: AFTERWARDS,
        State.STOPPED: AFTERWARDS,
        State.RUNNING: halted.PLAN.entry[State.RUNNING],
    },
)
