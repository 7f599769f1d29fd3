"""Make a template of a snapshot's disk; it appears as the newest version of its name.

params: name; source, the CT ID of the snapshot's container; snapshot; manifest; clean, words of
what is removed from it (templates/remains.py).
"""

from containers.node import steps
from containers.node.operations.build_template import PUBLISH
from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import cloning, restoring

PLAN = Plan(
    "Publish a snapshot as a template",
    entry={
        State.STOPPED: [
            restoring.CHECK,
            steps.CHECK_POOL,
            cloning.BEGIN_TEMPLATE,
            cloning.LEAVE_OUT,
            PUBLISH,
        ]
    },
    on_container=False,
    touches=("templates",),
)
