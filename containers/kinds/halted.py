"""Its init has ended by itself: the umount scripts are due, and the dismount."""

from containers.kind import Kind


class Halted(Kind):
    pass


KIND = Halted()
