"""A runner's control group: it is born in it, which also holds whatever it starts.

So a script can be ended with all that it has started, without a group of its own: to make one and
to fork a child into it takes longer than most scripts.
"""

from collections.abc import Collection
from dataclasses import dataclass

from containers.node.processes.cgroup import Group

RUNNER = "runner-"  # how the name of its group begins


@dataclass(frozen=True)
class RunnerCgroup:
    """aside: where the runner stands while what is in the group is ended."""

    group: Group
    aside: Group

    @classmethod
    def build(cls, cgroup: str, number: str) -> "RunnerCgroup":
        """cgroup: the node's own; number: of no other runner, ever.

        Raises OSError where control groups are not ours to make.
        """
        runner_cgroup = cls(Group(f"{cgroup}/{RUNNER}{number}"), Group(f"{cgroup}/runners"))
        runner_cgroup.aside.make()
        runner_cgroup.group.make()
        return runner_cgroup

    def end_others(self) -> None:
        """End everything in it but the runner, which is the caller."""
        self.aside.add()
        try:
            self.group.kill()
        finally:
            self.group.add()

    def let_others_go(self, heir: Group) -> None:
        """What is still running in it is not the runner's any more."""
        self.group.hand_on(heir)

    @classmethod
    def clear(cls, cgroup: str, but: Collection[str]) -> None:
        """Take away those that killed runners have left empty. but: names of the living ones'."""
        top = Group(cgroup)
        for path in top.path.glob(f"{RUNNER}*") if top.path.is_dir() else ():
            group = Group(f"{cgroup}/{path.name}")
            if group.name not in but and not group.processes():
                group.remove()

    def leave(self) -> None:
        """The runner's last act: an empty group is taken away."""
        self.aside.add()
        self.group.remove()
