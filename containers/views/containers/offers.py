"""What may be done with a container now, and why not for what can't."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils.timezone import now

from containers import policy
from containers.models import Container, Operation
from containers.node import problems
from containers.node.errors import OperationError, Problem
from containers.node.states import Progress, State

RECENT = timedelta(days=1)


@dataclass(frozen=True)
class Verb:
    """A button: kind of operation, its word, and whether a page asks before anything happens."""

    kind: str
    word: str
    icon: str
    asks: bool = False
    danger: bool = False
    consequence: str = ""
    page: str = ""  # the name of its own page's URL, if it has one


VERBS = {
    verb.kind: verb
    for verb in (
        Verb("start", "Start", "play"),
        Verb(
            "stop", "Stop", "stop",
            consequence="Its stop script runs, its programs are asked to end, "
            "its file system is dismounted.",
        ),
        Verb(
            "restart", "Restart", "restart",
            consequence="It is stopped and started, with all its scripts.",
        ),
        Verb(
            "suspend", "Suspend", "pause",
            consequence="Its processes are kept on the node and end; Resume lets them go on.",
        ),
        Verb("resume", "Resume", "play"),
        Verb("reinstall", "Reinstall", "layers", asks=True, page="reinstallation"),
        Verb("mount", "Mount", "mount"),
        Verb("umount", "Dismount", "umount"),
        Verb("exec", "Run a command", "terminal", asks=True),
        Verb(
            "destroy", "Destroy", "trash", asks=True, danger=True,
            consequence="Its file system, its snapshots, its scripts on the node and its settings "
            "are deleted. No script runs.",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    verb: Verb
    refusal: str = ""  # why not now; empty when it may be done

    @property
    def possible(self) -> bool:
        return not self.refusal


def of(user: User, container: Container) -> list[Offer]:
    """What this user may ever do with it, in the order of the buttons."""
    holder = container.operation
    return [
        Offer(fitted(verb, container), refusal(container, verb.kind, holder, staff=user.is_staff))
        for verb in VERBS.values()
        if user.has_perm(policy.permission_for(verb.kind), container)
        and verb.kind not in UNFIT[container.state == State.SUSPENDED]
    ]


UNFIT = {True: ("suspend", "stop", "restart"), False: ("resume",)}


def fitted(verb: Verb, container: Container) -> Verb:
    """To start a suspended container loses its processes: that is asked first."""
    if verb.kind == "start" and container.state == State.SUSPENDED:
        return replace(verb, asks=True, danger=True, consequence=LOSES)
    return verb


LOSES = (
    "It is suspended. Resume lets its processes go on where they were; Start throws them away, "
    "with all that they have not written to its disk."
)


def quick(user: User, container: Container) -> Offer | None:
    """The one button of a row in the list."""
    holder = next(iter(getattr(container, "unfinished", [])), None)
    kind = QUICK.get(State(container.state), "start")
    if not user.has_perm(policy.permission_for(kind), container):
        return None
    return Offer(VERBS[kind], refusal(container, kind, holder, staff=user.is_staff))


QUICK = {State.RUNNING: "stop", State.PAUSED: "stop", State.SUSPENDED: "resume"}


def refusal(
    container: Container, kind: str, holder: Operation | None, *, staff: bool = False
) -> str:
    if holder and kind != "exec":
        return f"{holder.label} is under way (operation {holder.pk})."
    if kind in ("start", "restart", "reinstall") and container.disabled:
        return OperationError(Problem.DISABLED).told(staff=staff)
    if kind in ("suspend", "resume", "trial_restore") and (
        off := container.node.facts.get("snapshots_off")
    ):
        return off if staff else problems.for_customers(Problem.SNAPSHOTS_OFF, {})
    if why := container.refusal(kind):
        return why.told(staff=staff)
    return ""


NEED_CRIU = ("suspend", "resume", "trial_restore")


def last_failure(container: Container) -> Operation | None:
    """The last operation, when it failed and nobody has answered it yet."""
    last = container.operations.exclude(kind__in=("set", "exec")).first()
    ended_badly = last and last.state in (Progress.FAILED, Progress.INTERRUPTED)
    if not last or not ended_badly or now() - (last.finished or last.requested) > RECENT:
        return None
    return last
