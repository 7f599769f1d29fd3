"""Run the umount scripts and dismount its private area."""

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind


class Umount(Kind):
    word, icon, place = "Dismount", "umount", 100
    params = (REPLACE_SCRIPTS,)
    commands = (Command("umount", "", "Dismount a container's private area", CT),)


KIND = Umount()
