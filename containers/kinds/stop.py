"""Run its stop script, halt it, dismount it."""

from containers.grammar import Command, Option
from containers.kind import CT, REPLACE_SCRIPTS, WHY, Kind, Param
from containers.node.states import State
from containers.permissions import OPERATE, SKIP_STOP_SCRIPT

FAST = Option("--fast", note="kill it; its scripts run all the same")
WITHOUT_STOP_SCRIPT = Option(
    "--without-stop-script",
    note="for one whose stop script fails; needs --reason",
    needs_reason=True,
)


class Stop(Kind):
    word, icon, place = "Stop", "stop", 30
    permission = OPERATE
    consequence = (
        "Its stop script runs, its programs are asked to end, its file system is dismounted."
    )
    back = "Keep it as it is"
    otherwise = ("Does its stop script fail or hang?", "Other ways to stop it")
    drawn_from = State.RUNNING
    hidden_in = frozenset({State.SUSPENDED})
    quick_in = frozenset({State.RUNNING, State.PAUSED})
    params = (
        Param(
            "fast",
            FAST,
            label="Kill its programs instead of asking them to end",
            help="Faster; what they have not saved is lost. Its stop and umount scripts run",
        ),
        Param("skip_umount", Option("--skip-umount", note="it stays mounted")),
        Param(
            "without_stop_script",
            WITHOUT_STOP_SCRIPT,
            label="Stop it without its stop script",
            help="For when the stop script fails or hangs: what it would have done is not done",
            permission=SKIP_STOP_SCRIPT,
            needs=("reason", "Say why its stop script is skipped."),
        ),
        WHY,
        REPLACE_SCRIPTS,
    )
    commands = (Command("stop", "", "Stop and dismount it", CT),)


KIND = Stop()
