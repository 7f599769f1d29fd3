"""What is due once a container's init has ended by itself: the umount scripts, the dismount.

The stop script does not run: there is no container any more to run it in.
"""

from containers.node import steps
from containers.node.errors import Code, Problem
from containers.node.operations import stop
from containers.node.plan import Plan, Refusal
from containers.node.states import State

AFTERWARDS = [steps.KEEP_SCRIPTS, steps.DELETE, *stop.DISMOUNTING]

PLAN = Plan(
    "Shut down from inside",
    entry={
        State.MOUNTED: AFTERWARDS,
        State.STOPPED: AFTERWARDS,
        State.RUNNING: Refusal(Problem.ALREADY_RUNNING, Code.OK),
    },
)
