"""Its init has ended by itself: the umount scripts are due, and the dismount."""

from containers.kind import Kind


class Halted(Kind):
    titled = "Shut down {name} from inside"
    noun = "shutdown"
    settles = False  # that it went down is no answer to what failed before


KIND = Halted()
