"""Mount its private area and run the mount scripts."""

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind


class Mount(Kind):
    word, icon, place = "Mount", "mount", 90
    params = (REPLACE_SCRIPTS,)
    commands = (Command("mount", "", "Mount a container's private area", CT),)


KIND = Mount()
