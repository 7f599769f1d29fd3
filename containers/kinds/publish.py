"""Write the node's global scripts and hooks, as the panel has them."""

from containers.kind import Kind
from containers.permissions import EDIT_SCRIPTS


class Publish(Kind):
    titled = "Publish the global scripts of {node}"
    noun = "publication"
    page = "publication"
    permission = EDIT_SCRIPTS


KIND = Publish()
