"""Make a container out of a template. Should anything fail, nothing of it stays."""

from containers.node import steps
from containers.node.actions import CREATE, Scope
from containers.node.errors import Problem
from containers.node.plan import Plan, Refusal
from containers.node.states import State

MAKING = [
    steps.CHECK_FREE,
    steps.CHECK_NEW,
    steps.CHECK_POOL,
    steps.MAKE_PRIVATE,
    steps.COPY_TEMPLATE,
    steps.LIMIT_DISK,
    steps.IDENTIFY,
    steps.LET_IN,
    steps.WRITE_SCRIPTS,
    steps.WRITE_CONF,
    steps.script(Scope.GLOBAL, CREATE),
    steps.SETTLE,
]
EXISTS = Refusal(Problem.EXISTS)

PLAN = Plan(
    "Create",
    entry={
        State.CREATING: MAKING,
        State.BROKEN: MAKING,
        **dict.fromkeys((State.STOPPED, State.MOUNTED, State.RUNNING), EXISTS),
    },
    makes=True,
)
