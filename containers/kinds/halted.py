"""Its init has ended by itself: the umount scripts are due, and the dismount."""

from containers.kind import Kind


class Halted(Kind):
    titled = "Shut down {name} from inside"
    noun = "shutdown"


KIND = Halted()
