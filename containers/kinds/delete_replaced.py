"""Delete a system that a reinstallation replaced, once its date has passed."""

from containers.kind import Kind


class DeleteReplaced(Kind):
    titled = "Delete a replaced system of {name}"
    noun = "deletion"


KIND = DeleteReplaced()
