"""A dry run: no runtime at all. Plans list their steps and do none; other commands are echoed."""

from containers.node.runtimes import runc


class Driver(runc.Driver):
    def runc(self, ct: object) -> list[str]:
        return ["echo", "runc"]

    def version(self) -> list[str]:
        return ["echo", "dry run"]
