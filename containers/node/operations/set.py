"""Bring a container's settings to it: to its files, and while it runs to its processes.

Should it fail, what is in force comes back. A password and keys come last: nothing undoes them.
"""

from containers.node import steps
from containers.node.plan import Plan
from containers.node.states import State

APPLYING = [
    steps.CHECK_FREE,
    steps.CHECK_FIT,
    steps.APPLY,
    steps.WRITE_CONF,
    steps.LET_IN.but(when=lambda ct: bool(ct.params.get("userpasswd") or ct.params.get("sshkeys"))),
]

PLAN = Plan(
    "Change settings",
    entry={
        State.STOPPED: APPLYING,
        State.MOUNTED: APPLYING,
        State.RUNNING: APPLYING,
        State.PAUSED: APPLYING,
        State.SUSPENDED: APPLYING,
    },
)
