"""Action scripts and reinstall hooks: the documentation's own table.

action      scope            runs in    when
premount    global, own      node       before the private area is mounted
mount       global, own      node       after it is mounted
start       own              container  before the container's init
stop        own              container  before the container is stopped
umount      own, global      node       before the private area is dismounted
postumount  own, global      node       after it is dismounted
create      global           node       once a container was made and its configuration written
reinstall   own, or global   node       instead of unpacking the template
configure   own, or global   container  once the reinstalled container runs

Sources: the OpenVZ and Parallels manuals for the six (global mount, mount, start, stop, umount,
global umount) and the two hooks; vzctl 4.11 for premount, postumount, create, and for the order
container before global on the way down.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    GLOBAL = "global"
    OWN = "own"


class Where(StrEnum):
    NODE = "node"
    CONTAINER = "container"


@dataclass(frozen=True)
class Action:
    name: str
    where: Where
    scopes: tuple[Scope, ...]
    when: str
    next: str  # when one that is saved now runs
    refusal: str  # what a failure of it leads to, in the documented undo profile
    hook: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def noun(self) -> str:
        return "hook" if self.hook else "script"

    def file(self, scope: Scope) -> str:
        """The name of its file: vps.NAME when global or a hook, else NAME."""
        return f"vps.{self.name}" if scope is Scope.GLOBAL or self.hook else self.name


BOTH = (Scope.GLOBAL, Scope.OWN)

PREMOUNT = Action(
    "premount", Where.NODE, BOTH,
    "before the private area is mounted",
    "at the next start or mount",
    "nothing is mounted",
)  # fmt: skip
MOUNT = Action(
    "mount", Where.NODE, BOTH,
    "right after the private area is mounted, before the container runs",
    "at the next start or mount",
    "the private area is dismounted; umount scripts do not run",
)  # fmt: skip
START = Action(
    "start", Where.CONTAINER, (Scope.OWN,),
    "in the container, before its init",
    "at the next start",
    "the container is stopped and dismounted; neither stop nor umount scripts run",
)  # fmt: skip
STOP = Action(
    "stop", Where.CONTAINER, (Scope.OWN,),
    "in the container, before it is stopped",
    "at the next stop",
    "the container is not stopped: it goes on running",
)  # fmt: skip
UMOUNT = Action(
    "umount", Where.NODE, BOTH,
    "after the container has stopped, before the private area is dismounted",
    "at the next stop or dismount",
    "the private area stays mounted",
)  # fmt: skip
POSTUMOUNT = Action(
    "postumount", Where.NODE, BOTH,
    "after the private area is dismounted",
    "at the next stop or dismount",
    "nothing is undone: it is dismounted already",
)  # fmt: skip
CREATE = Action(
    "create", Where.NODE, (Scope.GLOBAL,),
    "once a container was made and its configuration written",
    "at the next creation of a container",
    "the container is deleted again",
)  # fmt: skip
REINSTALL = Action(
    "reinstall", Where.NODE, BOTH,
    "when a container is reinstalled, in place of the default reinstallation",
    "at the next reinstallation",
    "the old system stays as it is; exit code 128 asks for the default reinstallation instead",
    hook=True,
)  # fmt: skip
CONFIGURE = Action(
    "configure", Where.CONTAINER, BOTH,
    "in the reinstalled container, once it runs",
    "at the next reinstallation",
    "the old system is put back",
    hook=True,
)  # fmt: skip

ALL = (PREMOUNT, MOUNT, START, STOP, UMOUNT, POSTUMOUNT, CREATE, REINSTALL, CONFIGURE)
BY_NAME = {action.name: action for action in ALL}
THE_SIX = ((Scope.GLOBAL, MOUNT), (Scope.OWN, MOUNT), (Scope.OWN, START),
           (Scope.OWN, STOP), (Scope.OWN, UMOUNT), (Scope.GLOBAL, UMOUNT))  # fmt: skip
