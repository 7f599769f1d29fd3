"""Run its stop script, halt it, dismount it."""

from containers.grammar import Command, Option
from containers.kind import CT, REPLACE_SCRIPTS, WHY, Kind, Param
from containers.node.states import State
from containers.permissions import OPERATE, SKIP_STOP_SCRIPT

FAST = Option("--fast", note="kill its programs; its scripts still run")
WITHOUT_STOP_SCRIPT = Option(
    "--without-stop-script",
    note="skip a stop script that fails; needs --reason",
    needs_reason=True,
)


class Stop(Kind):
    word, icon, place = "Stop", "stop", 30
    permission = OPERATE
    tries_scripts = True
    consequence = (
        "Its stop script runs first, unless it is to be left out. Then its programs are asked to "
        "end, and its file system is dismounted."
    )
    back = "Leave it as it is"
    otherwise = ("Does its stop script fail or hang?", "Other ways to stop it")
    drawn_from = State.RUNNING
    hidden_in = frozenset({State.SUSPENDED})
    quick_in = frozenset({State.RUNNING, State.PAUSED})
    params = (
        Param(
            "fast",
            FAST,
            label="Kill its programs instead of asking them to end",
            help="This is faster, but what they have not saved is lost",
        ),
        Param("skip_umount", Option("--skip-umount", note="leave it mounted")),
        Param(
            "without_stop_script",
            WITHOUT_STOP_SCRIPT,
            label="Stop it without its stop script",
            help="For when the stop script fails or hangs. What it would have done is not done",
            permission=SKIP_STOP_SCRIPT,
            needs=("reason", "Enter why its stop script is skipped."),
        ),
        WHY,
        REPLACE_SCRIPTS,
    )
    commands = (Command("stop", "", "Stop and dismount a container", CT),)


KIND = Stop()
