"""Delete a system that a reinstallation replaced, once its date has passed."""

from collections.abc import Mapping
from typing import Any

from containers.kind import Kind


class DeleteReplaced(Kind):
    titled = "Delete a replaced system of {name}"
    settles = False
    noun = "deletion"
    errand = True

    def erases(self, asked: Mapping[str, Any]) -> bool:
        return True


KIND = DeleteReplaced()
