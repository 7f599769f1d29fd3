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
from containers.node.actions import START, STOP, Scope
from containers.node.ct import Ct
from containers.node.operations import start, stop
from containers.node.plan import Plan, Step, whole
from containers.node.states import State
from containers.node.steps import reinstalling as new

OWN_IN_CONTAINER = {steps.script(Scope.OWN, START).key, steps.script(Scope.OWN, STOP).key}


def but_own(step: Step) -> Step:
    """Leave the container's own start and stop scripts out when that was asked for."""
    if step.key not in OWN_IN_CONTAINER:
        return step
    return step.but(when=lambda ct: not ct.params.get("without_own_scripts") and step.when(ct))


def uncommitted(step: Step) -> Step:
    return but_own(step).but(commits=False)


def passed_over(step: Step) -> Step:
    return but_own(step).but(ignore_failure=True)


def start_old(ct: Ct) -> None:
    """As it was: with its scripts, whatever the reinstallation was told to leave out."""
    if ct.state is State.MOUNTED or ct.state is State.RUNNING:
        whole([steps.DELETE, steps.DISMOUNT])(ct)
    whole([*start.MOUNTING, *start.BOOTING])(ct)


START_OLD = Step("start-old", "start the old system again", do=start_old, leaves=State.RUNNING)
HALT_NEW = Step(
    "halt-new",
    "halt the new system",
    do=whole(
        [
            passed_over(stop.OWN_STOP),
            steps.DELETE,
            *(passed_over(step) for step in stop.DISMOUNTING),
        ]
    ),
    leaves=State.STOPPED,
)
STOP_AGAIN = Step(
    "stop-again",
    "stop it, as it was before",
    do=whole([*map(but_own, stop.HALTING), *stop.DISMOUNTING]),
    leaves=State.STOPPED,
    when=lambda ct: not ct.params.get("start"),
)

CONFIGURED = start.BOOTING[1:-1]  # by new.IDENTIFY, while the old system still ran
BUILDING = [
    steps.KEEP_SCRIPTS,
    new.BEGIN,
    new.BY_HOOK,
    new.BY_TEMPLATE,
    new.IDENTIFY,
    new.ROOM,
]
STOPPING = [
    but_own(stop.OWN_STOP.but(when=stop.wants_stop_script)),
    steps.HALT.but(commits=False, undo=(START_OLD,)),
    steps.DELETE,
    *map(uncommitted, stop.DISMOUNTING),
]
CHANGING = [
    new.KEEP_OLD,
    new.SWAP,
    *start.MOUNTING,
    new.SHOW_OLD,
    *(but_own(step) for step in CONFIGURED),
    steps.BOOT.but(commits=False, undo=(HALT_NEW,)),
    new.RUN_CONFIGURE,
    new.MERGE,
    new.LET_IN,
    new.HIDE_OLD,
    new.SETTLE,
    new.COMMIT,
    steps.WRITE_CONF,
]

PLAN = Plan(
    "Reinstall",
    entry={
        State.RUNNING: [*BUILDING, *STOPPING, *CHANGING],
        State.MOUNTED: [*BUILDING, *map(uncommitted, stop.DISMOUNTING), *CHANGING, STOP_AGAIN],
        State.STOPPED: [*BUILDING, *CHANGING, STOP_AGAIN],
    },
    code=94,
    touches=("replaced_systems",),
)
