"""Keep the processes and the disk of one instant. A failed one leaves nothing behind.

params: snapshot, the new one's UUID; name, note; stop: end the container with it, as a suspension
does, its umount scripts included; disk_only: leave its processes out.
"""

from containers.node import steps
from containers.node.ct import Ct
from containers.node.operations.suspend import LEAVING
from containers.node.plan import Plan, Step, Steps, whole
from containers.node.states import State
from containers.node.steps import snapshotting as s
from containers.node.steps.snapshotting import SNAPSHOT


def goes_on(ct: Ct) -> bool:
    return not ct.params.get("stop")


def ends(ct: Ct) -> bool:
    return not goes_on(ct)


def with_processes(ct: Ct) -> bool:
    return ends(ct) or not ct.params.get("disk_only")


# One step, for between two the journal is written to the disk, and all of it stands still.
FREEZE = Step(
    "freeze",
    "save its processes and its disk at one instant",
    do=whole(
        [
            s.PAUSE,
            s.dump_running(SNAPSHOT).only(with_processes),
            s.copy_disk(SNAPSHOT),
            s.THAW,
        ]
    ),
    undo=(s.THAW,),
    unbroken=True,
)
KEEPING = [s.copy_disk(SNAPSHOT), s.seal(SNAPSHOT), s.publish(SNAPSHOT).but(commits=True)]
ROOM = [steps.CHECK_POOL, steps.CHECK_KEPT]
DISK_ONLY = [*ROOM, s.CHECK_ROOM, *s.begin(SNAPSHOT), *KEEPING]

PLAN = Plan(
    "Take a snapshot",
    entry={
        State.RUNNING: [
            *ROOM,
            s.CHECK.only(with_processes),
            *s.begin(SNAPSHOT),
            FREEZE.only(goes_on),
            s.dump_and_stop(SNAPSHOT).only(ends),
            s.copy_disk(SNAPSHOT).only(ends),
            s.seal(SNAPSHOT),
            s.publish(SNAPSHOT).but(commits=True),
            *Steps([steps.KEEP_SCRIPTS, steps.DELETE, *LEAVING]).only(ends),
        ],
        State.STOPPED: DISK_ONLY,
        State.MOUNTED: DISK_ONLY,
    },
)
