"""Run the umount scripts and dismount. Should a script refuse, it stays mounted."""

from containers.node import steps
from containers.node.operations import stop
from containers.node.plan import Plan, Refusal
from containers.node.states import State

PLAN = Plan(
    "Dismount",
    entry={
        State.MOUNTED: [steps.KEEP_SCRIPTS, steps.DELETE, *stop.DISMOUNTING],
        State.STOPPED: Refusal(40, "the container is not mounted"),
        State.RUNNING: Refusal(32, "the container is running; stop it first"),
    },
)
