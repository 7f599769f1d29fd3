"""Restore a snapshot beside its container, on a copy of its disk and without a network: does it
live? Whatever comes of it is thrown away.

params: snapshot, manifest.
"""

from containers.node import steps
from containers.node.operations.delete_snapshot import ANY
from containers.node.plan import Plan
from containers.node.steps import cloning, restoring

TRYING = [
    restoring.CHECK,
    cloning.CHECK_MOUNTS,
    steps.CHECK_POOL,
    cloning.PREPARE,
    cloning.TRIAL,
    cloning.THROW_AWAY.but(commits=True),
]

PLAN = Plan("Trial restore", entry=dict.fromkeys(ANY, TRYING))
