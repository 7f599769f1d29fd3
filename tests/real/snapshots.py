"""What the tests of snapshots ask of a rig: to take one, and what is in it."""

import json
import uuid
from typing import Any

from containers.node.checkpoint import saved
from containers.node.checkpoint.saved import Saved
from containers.node.checkpoint.verdict import Verdict, verify
from containers.node.layout import Layout
from tests.real.rig import Rig


class Kept:
    """A snapshot as the panel's row would have it."""

    def __init__(self, rig: Rig, ctid: int, facts: dict[str, Any]) -> None:
        self.rig, self.ctid, self.facts = rig, ctid, facts
        self.uuid, self.manifest = facts["uuid"], facts["manifest"]

    @property
    def saved(self) -> Saved:
        return saved.published(self.rig.paths(self.ctid), self.uuid)

    @property
    def params(self) -> dict[str, str]:
        return {"snapshot": self.uuid, "manifest": self.manifest}

    def verify(self, **options: Any) -> Verdict:
        return verify(self.rig.conf, self.ctid, self.uuid, manifest=self.manifest, **options)

    def rewrite(self, **changes: Any) -> None:
        """Make its record say something else, with a manifest that agrees."""
        values = json.loads(self.saved.record.read_text()) | changes
        self.saved.record.write_text(json.dumps(values))
        self.agree()

    def agree(self) -> None:
        from containers.node.checkpoint import manifest

        self.manifest = manifest.write(self.saved)


def take(rig: Rig, ctid: int, **params: Any) -> Kept:
    outcome = rig.operate("snapshot", ctid, snapshot=fresh(), **params)
    assert outcome.code == 0, outcome.log
    return Kept(rig, ctid, outcome.facts["snapshot"])


def fresh() -> str:
    return f"{uuid.uuid4()}"


def listed(rig: Rig, ctid: int) -> list[str]:
    """Everything in the folder of a container's snapshots, half or whole."""
    folder = Layout(rig.conf, ctid).snapshots
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def private(rig: Rig, ctid: int) -> list[str]:
    return sorted(path.name for path in rig.paths(ctid).private.iterdir())
