"""Its init asked for a reboot: it is dismounted and started anew."""

from containers.kind import Kind


class Rebooted(Kind):
    pass


KIND = Rebooted()
