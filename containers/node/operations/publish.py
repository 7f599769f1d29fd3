"""Write the node's global scripts and hooks, as the panel has them."""

from containers.node.plan import Plan, Step
from containers.node.scripts import write_global_scripts
from containers.node.states import State

PLAN = Plan(
    "Publish global scripts",
    entry={
        State.STOPPED: [
            Step("publish-scripts", "write the global scripts to the node", do=write_global_scripts)
        ]
    },
    on_container=False,
)
