"""Put a container back to a snapshot: its disk, and its processes if they were kept.

What it is before that is kept first, as the safety snapshot, and comes back whole should anything
fail. Without one the former disk comes back, and the container is stopped.

params: snapshot, and manifest, that one's hash as the panel has it; safety, the UUID of the safety
snapshot, or none; disk_only: leave the processes out; tcp_close: restore connections as closed.
"""

from containers.node import steps
from containers.node.checkpoint import criu
from containers.node.ct import Ct
from containers.node.operations import start, stop
from containers.node.plan import Plan, Step
from containers.node.states import State
from containers.node.steps import restoring as r
from containers.node.steps import snapshotting as s
from containers.node.steps.snapshotting import SAFETY


def safely(step: Step) -> Step:
    return step.but(when=lambda ct: bool(ct.params.get("safety")) and step.when(ct))


def with_processes(step: Step) -> Step:
    return step.but(when=lambda ct: r.with_processes(ct) and step.when(ct))


def dumps(ct: Ct) -> bool:
    """Whether the safety snapshot has processes: where there's no CRIU it can't."""
    try:
        return bool(ct.params.get("safety") and criu.find(ct.paths.node))
    except criu.Off:
        return False


def comes_back(step: Step) -> Step:
    """One that undoes the dismount of a container whose processes come back."""
    return step.but(when=lambda ct: dumps(ct) and step.when(ct))


DISMOUNT = steps.DISMOUNT.but(commits=False)
PAUSING = [step if step.key != DISMOUNT.key else DISMOUNT for step in stop.DISMOUNTING]
STANDING = [
    step if step.key != DISMOUNT.key
    else DISMOUNT.but(undo=tuple(comes_back(each) for each in start.MOUNTING))
    for step in PAUSING
]  # fmt: skip
CHANGING = [
    r.FETCH,
    r.SWITCH,
    *(with_processes(step) for step in start.MOUNTING),
    with_processes(r.RESTORE),
]
BEGINNING = [*map(safely, s.begin(SAFETY))]
ENDING = [
    safely(s.ADOPT),
    safely(s.seal(SAFETY)),
    safely(s.publish(SAFETY)),
    r.DROP_FORMER,
]

PLAN = Plan(
    "Restore a snapshot",
    entry={
        State.RUNNING: [
            r.CHECK,
            s.CHECK.but(when=dumps),
            steps.KEEP_SCRIPTS,
            *BEGINNING,
            s.dump_and_stop(SAFETY).but(when=dumps),
            r.CUT.but(when=lambda ct: not dumps(ct)),
            steps.DELETE,
            *STANDING,
            *CHANGING,
            *ENDING,
        ],
        State.MOUNTED: [
            r.CHECK, steps.KEEP_SCRIPTS, *PAUSING, *BEGINNING, *CHANGING, *ENDING,
        ],
        State.STOPPED: [r.CHECK, steps.KEEP_SCRIPTS, *BEGINNING, *CHANGING, *ENDING],
    },
)  # fmt: skip
