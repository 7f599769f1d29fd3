"""Change what it shall be."""

from containers import options
from containers.grammar import Command
from containers.kind import CT, Kind


class Set(Kind):
    place, page = 120, "settings"
    alarms = False
    commands = (Command("set", "container.change", "Change what it shall be", CT, options.SET),)


KIND = Set()
