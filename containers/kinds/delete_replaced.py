"""Delete a system that a reinstallation replaced, once its date has passed."""

from containers.kind import Kind


class DeleteReplaced(Kind):
    pass


KIND = DeleteReplaced()
