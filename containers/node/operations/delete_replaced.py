"""Delete a system that a reinstallation replaced, once the time to undo that is over.

params: kept, the number of the operation that kept it.
"""

from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import replaced

PLAN = Plan(
    "Delete a replaced system",
    entry={state: [replaced.CHECK, replaced.FORGET] for state in
           (State.STOPPED, State.MOUNTED, State.RUNNING, State.SUSPENDED)},
    touches=("replaced_systems",),
)  # fmt: skip
