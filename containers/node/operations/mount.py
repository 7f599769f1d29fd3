"""Mount the private area and run the mount scripts, without starting anything."""

from containers.node import steps
from containers.node.errors import Code, Problem
from containers.node.operations import start
from containers.node.plan import Plan, Refusal
from containers.node.states import State

ALREADY = Refusal(Problem.ALREADY_MOUNTED, Code.OK)

PLAN = Plan(
    "Mount",
    entry={
        State.STOPPED: [steps.WRITE_CONF, steps.WRITE_SCRIPTS, *start.MOUNTING],
        State.MOUNTED: ALREADY,
        State.RUNNING: ALREADY,
    },
)
