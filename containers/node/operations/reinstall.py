"""Give a container a new system; whatever fails before the commit, it has its old one back.

The new system is built beside the old one, which runs meanwhile. Then the old one is stopped,
they trade places, and the new one has to start, be configured and get the credentials. Only when
all that has happened is it kept. The old area is never written to.

params: template (NAME@N; else the container's own), skipbackup (no copy under /old), resetpwdb
(users and passwords are not carried over), userpasswd, sshkeys, keep_until (ISO 8601: the old
area is kept aside until then), start (run afterwards, though it did not before),
without_stop_script, without_own_scripts (its start and stop script do not run).
"""

from containers.node import steps
from containers.node.ct import Ct
from containers.node.errors import Code
from containers.node.operations import start, stop
from containers.node.plan import Plan, Step, Steps, asked, whole
from containers.node.states import State
from containers.node.steps import proving
from containers.node.steps import reinstalling as new

WITHOUT_OWN = asked("without_own_scripts")  # its start and stop script do not run


def was_stopped(ct: Ct) -> bool:
    """Whether it is to be left stopped, as it was."""
    return not ct.params.get("start")


def keeps_old_system(ct: Ct) -> bool:
    return bool(ct.params.get("keep_until"))


def keeps_something(ct: Ct) -> bool:
    """Else it makes room, if anything."""
    return keeps_old_system(ct) or not ct.params.get("skipbackup")


def is_up(ct: Ct) -> bool:
    return ct.state is State.MOUNTED or ct.state is State.RUNNING


# As it was: with its scripts, whatever the reinstallation was told to leave out
START_OLD = Step(
    "start-old",
    "start the old system again",
    do=whole(
        [
            *Steps([steps.DELETE, steps.DISMOUNT]).only(is_up),
            *start.MOUNTING,
            *start.BOOTING,
        ]
    ),
    leaves=State.RUNNING,
)
HALT_NEW = Step(
    "halt-new",
    "halt the new system",
    do=whole(
        [
            stop.OWN_STOP.spare(WITHOUT_OWN).but(ignore_failure=True),
            steps.DELETE,
            *stop.DISMOUNTING.but(ignore_failure=True),
        ]
    ),
    leaves=State.STOPPED,
)
STOP_AGAIN = Step(
    "stop-again",
    "stop it again, as it was before",
    do=whole([*stop.HALTING.spare(WITHOUT_OWN, stop.OWN_STOP), *stop.DISMOUNTING]),
    leaves=State.STOPPED,
    when=was_stopped,
)

DISMOUNTING = stop.DISMOUNTING.but(commits=False)
BUILDING = [
    steps.CHECK_DISABLED,
    steps.CHECK_FREE,
    steps.CHECK_POOL.only(keeps_something),
    steps.CHECK_KEPT.only(keeps_old_system),
    steps.KEEP_SCRIPTS,
    new.BEGIN,
    new.BY_HOOK,
    new.BY_TEMPLATE,
    new.IDENTIFY,
    steps.CHECK_NEW_SYSTEM,
    new.ROOM,
]
STOPPING = [
    stop.STOP_SCRIPT.spare(WITHOUT_OWN),
    steps.HALT.but(commits=False, undo=(START_OLD,)),
    steps.DELETE,
    *DISMOUNTING,
]
# IDENTIFY has configured the new system while the old one still ran
MAKING = start.BOOTING.without(steps.CONFIGURE).upto(steps.BOOT)
CHANGING = [
    new.KEEP_OLD,
    new.SWAP,
    *start.MOUNTING,
    new.SHOW_OLD,
    *MAKING.spare(WITHOUT_OWN, start.OWN_START),
    steps.BOOT.but(commits=False, undo=(HALT_NEW,)),
    new.RUN_CONFIGURE,
    new.MERGE,
    new.LET_IN,
    new.HIDE_OLD,
    new.SETTLE,
    proving.GO_ON,
    new.COMMIT,
    steps.WRITE_CONF,
]

PLAN = Plan(
    "Reinstall",
    entry={
        State.RUNNING: [*BUILDING, *STOPPING, *CHANGING],
        State.MOUNTED: [*BUILDING, *DISMOUNTING, *CHANGING, STOP_AGAIN],
        State.STOPPED: [*BUILDING, *CHANGING, STOP_AGAIN],
    },
    code=Code.REINSTALL,
    touches=("replaced_systems",),
)
