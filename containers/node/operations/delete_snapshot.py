"""Delete one snapshot of a container, whatever the container is doing.

params: snapshot.
"""

from containers.node.plan import Plan, Step
from containers.node.states import State
from containers.node.steps.snapshotting import SNAPSHOT

DELETING = [
    Step("delete-snapshot", "delete the snapshot", do=SNAPSHOT.discard, commits=True),
]
ANY = (State.STOPPED, State.MOUNTED, State.RUNNING, State.PAUSED, State.SUSPENDED, State.BROKEN)

PLAN = Plan("Delete a snapshot", entry=dict.fromkeys(ANY, DELETING))
