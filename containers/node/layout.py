"""Where a node keeps a container's things."""

from dataclasses import dataclass
from pathlib import Path

from containers.node.actions import Action, Scope
from containers.node.conf import NodeConf
from containers.node.errors import BadValue, BadValues


@dataclass(frozen=True)
class Layout:
    """The paths of one container.

    Below fs everything is the container's root's to shape: never follow a path there from the
    host but through trees/safe_tree.py.
    """

    node: NodeConf
    ctid: int

    def __post_init__(self) -> None:
        """SQLite keeps any text as a number: whoever writes rows by hand is not to name paths."""
        if not isinstance(self.ctid, int):
            raise BadValue(BadValues.NOT_A_CTID, word=f"{self.ctid}"[:30])

    @property
    def private(self) -> Path:
        """VE_PRIVATE. Only fs, below it, is the container's."""
        return self.node.vz / "private" / f"{self.ctid}"

    @property
    def fs(self) -> Path:
        return self.private / "fs"

    @property
    def fs_tmp(self) -> Path:
        """Where a reinstallation builds the new root file system."""
        return self.private / "fs.reinstall"

    @property
    def scripts(self) -> Path:
        return self.private / "scripts"

    @property
    def ve_conf(self) -> Path:
        return self.private / "ve.conf"

    @property
    def conf_link(self) -> Path:
        """VE_CONFFILE: a link to ve_conf, at the place that scripts have always known."""
        return self.node.scripts / f"{self.ctid}.conf"

    @property
    def root(self) -> Path:
        """VE_ROOT, where the private area is mounted."""
        return self.node.vz / "root" / f"{self.ctid}"

    @property
    def lock(self) -> Path:
        return self.node.vz / "lock" / f"{self.ctid}.lck"

    @property
    def snapshots(self) -> Path:
        return self.node.vz / "snapshots" / f"{self.ctid}"

    @property
    def old(self) -> Path:
        """Private areas that a reinstallation replaced, kept while it can be undone."""
        return self.node.vz / "old" / f"{self.ctid}"

    @property
    def bundle(self) -> Path:
        return self.node.run / "bundle" / f"{self.ctid}"

    @property
    def let_go(self) -> Path:
        """Made when its init, or its restored processes, begin to run."""
        return self.bundle / "let-go"

    @property
    def rootfs(self) -> Path:
        """Where its runtime finds fs, with the owners as the node knows them; others, nothing."""
        return self.node.run / "rootfs" / f"{self.ctid}" / "fs"

    @property
    def runc_root(self) -> Path:
        return self.node.run / "runc"

    @property
    def console_socket(self) -> Path:
        return self.node.run / f"console-{self.ctid}.sock"

    @property
    def monitor(self) -> Path:
        """The spool of its monitor: events, console."""
        return self.node.spool / f"ct-{self.ctid}"

    @property
    def cgroup(self) -> str:
        return f"{self.node.cgroup}/{self.ctid}"

    def script(self, scope: Scope, action: Action) -> Path:
        folder = self.node.scripts if scope is Scope.GLOBAL else self.scripts
        return folder / action.file(scope)

    def script_places(self, scope: Scope, action: Action) -> list[Path]:
        """Where OpenVZ may have it; the first is ours, the others are read by import, never run.

        Own ones were beside the configuration up to OpenVZ's layout 3.
        """
        own = scope is Scope.OWN
        name = f"{self.ctid}.{action.name}" if own else action.file(scope)
        beside = [folder / name for folder in self.node.script_places]
        return [self.script(scope, action), *beside] if own else beside
