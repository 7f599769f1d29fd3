"""What the tests of snapshots ask of a rig: to take one, and what is in it."""

import json
import uuid

from containers.node.checkpoint import saved
from containers.node.checkpoint.verdict import verify
from containers.node.layout import Layout


class Kept:
    """A snapshot as the panel's row would have it."""

    def __init__(self, rig, ctid, facts):
        self.rig, self.ctid, self.facts = rig, ctid, facts
        self.uuid, self.manifest = facts["uuid"], facts["manifest"]

    @property
    def saved(self):
        return saved.published(self.rig.paths(self.ctid), self.uuid)

    @property
    def params(self):
        return {"snapshot": self.uuid, "manifest": self.manifest}

    def verify(self, **options):
        return verify(self.rig.conf, self.ctid, self.uuid, manifest=self.manifest, **options)

    def rewrite(self, **changes):
        """Make its record say something else, with a manifest that agrees."""
        values = json.loads(self.saved.record.read_text()) | changes
        self.saved.record.write_text(json.dumps(values))
        self.agree()

    def agree(self):
        from containers.node.checkpoint import manifest

        self.manifest = manifest.write(self.saved)


def take(rig, ctid, **params):
    outcome = rig.operate("snapshot", ctid, snapshot=fresh(), **params)
    assert outcome.code == 0, outcome.log
    return Kept(rig, ctid, outcome.facts["snapshot"])


def fresh():
    return f"{uuid.uuid4()}"


def listed(rig, ctid):
    """Everything in the folder of a container's snapshots, half or whole."""
    folder = Layout(rig.conf, ctid).snapshots
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def private(rig, ctid):
    return sorted(path.name for path in rig.paths(ctid).private.iterdir())
