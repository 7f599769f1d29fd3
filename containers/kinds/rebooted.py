"""Its init asked for a reboot: it is dismounted and started anew."""

from containers.kind import Kind


class Rebooted(Kind):
    titled = "Reboot {name} from inside"
    noun = "reboot"


KIND = Rebooted()
