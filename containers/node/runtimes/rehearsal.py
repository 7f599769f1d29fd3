"""No runtime at all: every command is spoken, none is run. For a look without root."""

from containers.node.runtimes import runc


class Driver(runc.Driver):
    def runc(self, ct: object) -> list[str]:
        return ["echo", "runc"]

    def version(self) -> list[str]:
        return ["echo", "rehearsal"]
