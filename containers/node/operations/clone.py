"""Make a container of a snapshot: with its own name, addresses, host keys and machine id.

params: source, the CT ID of the snapshot's container; snapshot; manifest; processes: the kept
processes live in it, too; userpasswd, sshkeys, as for a new one.
"""

from containers.node import steps
from containers.node.actions import CREATE, Scope
from containers.node.ct import Ct
from containers.node.operations import start
from containers.node.operations.create import EXISTS
from containers.node.plan import Plan, Step
from containers.node.states import State
from containers.node.steps import cloning, restoring


def living(step: Step) -> Step:
    return step.but(when=lambda ct: restoring.with_processes(ct) and step.when(ct))


def stays_down(ct: Ct) -> bool:
    return not restoring.with_processes(ct)


CLONING = [
    steps.CHECK_FREE,
    steps.CHECK_NEW,
    restoring.CHECK,
    steps.MAKE_PRIVATE,
    cloning.COPY_KEPT,
    steps.LIMIT_DISK,
    steps.IDENTIFY,
    steps.LET_IN,
    steps.WRITE_SCRIPTS,
    steps.WRITE_CONF,
    steps.script(Scope.GLOBAL, CREATE),
    *(living(step) for step in start.MOUNTING),
    living(cloning.RESTORE_CLONE),
    steps.SETTLE.but(when=stays_down),
]

PLAN = Plan(
    "Clone",
    entry={
        State.CREATING: CLONING,
        State.BROKEN: CLONING,
        **dict.fromkeys((State.STOPPED, State.MOUNTED, State.RUNNING), EXISTS),
    },
    makes=True,
)
