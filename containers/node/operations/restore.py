"""Put a container back to a snapshot: its disk, and its processes if they were kept.

What it is before that is kept first, as the safety snapshot, and comes back whole should anything
fail. Without one the former disk comes back, and the container is stopped.

params: snapshot, and manifest, that one's hash as the panel has it; safety, the UUID of the safety
snapshot, or none; disk_only: leave the processes out; tcp_close: restore connections as closed;
take: settings of then that it is to have again, by name.
"""

from containers.node import steps
from containers.node.checkpoint import criu
from containers.node.ct import Ct
from containers.node.operations import start, stop
from containers.node.plan import Plan, Step, Steps, whole
from containers.node.states import State
from containers.node.steps import restoring as r
from containers.node.steps import snapshotting as s
from containers.node.steps import way_back
from containers.node.steps.mounting import is_mounted
from containers.node.steps.snapshotting import SAFETY


def safely(ct: Ct) -> bool:
    return bool(ct.params.get("safety"))


def dumps(ct: Ct) -> bool:
    """Whether the safety snapshot has processes: where there's no CRIU it can't."""
    try:
        return bool(ct.params.get("safety") and criu.find(ct.paths.node))
    except criu.Off:
        return False


def does_not_dump(ct: Ct) -> bool:
    return not dumps(ct)


def wants_its_mounts(ct: Ct) -> bool:
    """Whether its processes are to come back, and what they had mounted isn't there any more: an
    umount script that failed may have taken it away.
    """
    if not dumps(ct):
        return False
    return not r.stand(ct, SAFETY.saved(ct))


REMOUNT = Step(
    "mount-again",
    "mount it as it was",
    do=whole(
        [
            steps.DISMOUNT.but(commits=False, when=is_mounted),
            *start.MOUNTING.but(*start.MOUNT_SCRIPTS, ignore_failure=True),
        ]
    ),
    leaves=State.MOUNTED,
    when=wants_its_mounts,
)
DISMOUNTING = stop.DISMOUNTING.but(commits=False)
CHANGING = [
    r.FETCH,
    r.SWITCH,
    *Steps([*start.MOUNTING, r.RESTORE]).only(r.with_processes),
]
BEGINNING = s.begin(SAFETY).only(safely)
ENDING = [
    *Steps([s.ADOPT, s.seal(SAFETY), s.publish(SAFETY)]).only(safely),
    r.SETTLE,
    r.DROP_FORMER,
]

PLAN = Plan(
    "Restore a snapshot",
    entry={
        State.RUNNING: [
            r.CHECK,
            steps.CHECK_RETURN.only(r.with_processes),
            s.CHECK.only(dumps),
            way_back.CHECK.only(dumps),
            steps.KEEP_SCRIPTS,
            *BEGINNING,
            s.dump_and_stop(SAFETY).only(dumps),
            r.CUT.only(does_not_dump),
            steps.DELETE.but(undo=(REMOUNT,)),
            *DISMOUNTING,
            *CHANGING,
            *ENDING,
        ],
        State.MOUNTED: [
            r.CHECK,
            steps.CHECK_RETURN.only(r.with_processes),
            steps.KEEP_SCRIPTS,
            *BEGINNING,
            *DISMOUNTING,
            *CHANGING,
            *ENDING,
        ],
        State.STOPPED: [
            r.CHECK,
            steps.CHECK_RETURN.only(r.with_processes),
            steps.KEEP_SCRIPTS,
            *BEGINNING,
            *CHANGING,
            *ENDING,
        ],
    },
)
