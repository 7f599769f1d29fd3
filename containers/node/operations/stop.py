"""Run the stop script, halt, dismount.

Should a script refuse, the operation ends there and nothing is undone: a container whose stop
script refuses goes on running, one whose umount script refuses stays mounted.
"""

from containers.node import steps
from containers.node.actions import POSTUMOUNT, STOP, UMOUNT, Scope
from containers.node.errors import Code, Problem
from containers.node.plan import Plan, Refusal, Steps, asked
from containers.node.states import State

OWN_STOP = steps.script(Scope.OWN, STOP)
# Staff may leave it out, with a reason, for a container that can't be stopped otherwise
STOP_SCRIPT = OWN_STOP.spare(asked("without_stop_script"))

HALTING = Steps([steps.KEEP_SCRIPTS, STOP_SCRIPT, steps.HALT, steps.DELETE])
DISMOUNTING = Steps(
    [
        steps.script(Scope.OWN, UMOUNT),
        steps.script(Scope.GLOBAL, UMOUNT),
        steps.DISMOUNT,
        steps.script(Scope.OWN, POSTUMOUNT),
        steps.script(Scope.GLOBAL, POSTUMOUNT),
    ]
)
STOPPING = [*HALTING, *DISMOUNTING.spare(asked("skip_umount"))]

NOT_RUNNING = Refusal(Problem.NOT_RUNNING, Code.OK)

PLAN = Plan(
    "Stop",
    entry={
        State.RUNNING: STOPPING,
        State.PAUSED: [steps.THAW, *STOPPING],
        State.STOPPED: NOT_RUNNING,
        State.MOUNTED: NOT_RUNNING,
        State.SUSPENDED: NOT_RUNNING,
    },
)
