"""Change a container's settings."""

from containers import options
from containers.grammar import Command
from containers.kind import CT, Kind


class Set(Kind):
    titled = "Change settings of {name}"
    noun = "change"
    place, page = 120, "settings"
    alarms = False
    commands = (
        Command("set", "container.change", "Change a container's settings", CT, options.SET),
    )


KIND = Set()
