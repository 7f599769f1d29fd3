"""A runner's home: the control group it is born in, which also holds whatever it starts.

So a script can be ended with all that it has started, without a group of its own: to make one and
to fork a child into it takes longer than most scripts.
"""

from dataclasses import dataclass

from containers.node.cgroup import Group


@dataclass(frozen=True)
class Home:
    """yard: where the runner stands while what is in its home is ended."""

    group: Group
    yard: Group

    @classmethod
    def build(cls, cgroup: str, number: str) -> "Home":
        """cgroup: the node's own; number: of no other runner, ever.

        Raises OSError where control groups are not ours to make.
        """
        home = cls(Group(f"{cgroup}/runner-{number}"), Group(f"{cgroup}/runners"))
        home.yard.make()
        home.group.make()
        return home

    def end_others(self) -> None:
        """End everything in it but the runner, which is the caller."""
        self.yard.add()
        try:
            self.group.kill()
        finally:
            self.group.add()

    def let_others_go(self, heir: Group) -> None:
        """What is still running in it is not the runner's any more."""
        self.group.hand_on(heir)

    def leave(self) -> None:
        """The runner's last act: an empty home is taken away."""
        self.yard.add()
        self.group.remove()
