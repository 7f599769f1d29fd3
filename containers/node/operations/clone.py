"""Make a container of a snapshot: with its own name, addresses, host keys and machine id.

params: source, the CT ID of the snapshot's container; snapshot; manifest; processes: the kept
processes live in it, too; userpasswd, sshkeys, as for a new one.
"""

from containers.node import steps
from containers.node.actions import CREATE, Scope
from containers.node.ct import Ct
from containers.node.operations import start
from containers.node.operations.create import EXISTS
from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import cloning, restoring


def stays_down(ct: Ct) -> bool:
    return not restoring.with_processes(ct)


CLONING = [
    steps.CHECK_FREE,
    steps.CHECK_NEW,
    steps.CHECK_POOL,
    restoring.CHECK,
    steps.MAKE_PRIVATE,
    cloning.COPY_KEPT,
    steps.LIMIT_DISK,
    steps.IDENTIFY,
    steps.LET_IN,
    steps.WRITE_SCRIPTS,
    steps.WRITE_CONF,
    steps.script(Scope.GLOBAL, CREATE),
    *start.MOUNTING.only(restoring.with_processes),
    cloning.RESTORE_CLONE.only(restoring.with_processes),
    steps.SETTLE.only(stays_down),
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
