"""A container's lifecycle, drawn from the very plans its node follows.

Which steps a start and a stop take, in which order and context, which version of a script runs
in each place, and what a failure of each undoes in the undo profile of its node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.timezone import localtime

from containers.kind import Kind, order
from containers.models import Container, OperationStep, Script, ScriptTarget, UndoProfile
from containers.node import actions
from containers.node.actions import Action, Scope, Where
from containers.node.plan import Step
from containers.node.states import FINISHED, Progress, State
from containers.views.scripts.addresses import address

PLACES = {f"{scope}-{action}": (scope, action) for action in actions.ALL for scope in action.scopes}


@dataclass(frozen=True)
class Slot:
    """A script as it stands for a container: its version, and how it did the last time."""

    target: ScriptTarget
    script: Script | None = None
    version: int | None = None
    last: OperationStep | None = None

    @property
    def place(self) -> tuple[Scope, Action]:
        return self.target.scope, self.target.action

    @property
    def url(self) -> str:
        return address(self.target)

    @property
    def runs(self) -> bool:
        return self.version is not None and bool(self.script and self.script.enabled)

    @property
    def empty(self) -> bool:
        return self.version is None


@dataclass(frozen=True)
class Stage:
    """A step, and what happens if it fails: the undo steps, and the state that leaves."""

    step: Step
    slot: Slot | None
    undone: Sequence[str]
    state: State
    ignored: bool = False

    @property
    def in_container(self) -> bool:
        return self.step.where is Where.CONTAINER

    @property
    def shown(self) -> bool:
        """An empty place of a script that nobody expects, as premount, is no line of its own."""
        return not self.slot or not self.slot.empty or self.slot.place in SIX


@dataclass(frozen=True)
class Course:
    kind: str
    label: str
    before: State
    after: State
    stages: list[Stage] = field(default_factory=list)


SIX = set(actions.THE_SIX)


def courses(container: Container) -> list[Course]:
    slots = {slot.place: slot for slot in scripts(container)}
    return [
        course(kind, kind.drawn_from, slots, container.node.undo_profile)
        for kind in order()
        if kind.drawn_from
    ]


def course(
    kind: Kind, before: State, slots: dict[tuple[Scope, Action], Slot], profile: str
) -> Course:
    steps, state = kind.plan.steps(before), before
    stages = []
    for n, step in enumerate(steps):
        undone, left = unwound(steps[: n + 1], state, slots, profile)
        place = PLACES.get(step.key)
        stages.append(
            Stage(step, slots.get(place) if place else None, undone, left, step.ignore_failure)
        )
        state = step.leaves or state
    return Course(kind.name, kind.label, before, state, [stage for stage in stages if stage.shown])


def unwound(
    taken: Sequence[Step], state: State, slots: dict[tuple[Scope, Action], Slot], profile: str
) -> tuple[list[str], State]:
    """The labels of what a failure of the last step undoes, and the state after that."""
    labels, done = [], set()
    for step in reversed(taken):
        for undo in step.undoing(profile):
            place = PLACES.get(undo.key)
            if undo.key in done or (place and not runs(slots.get(place))):
                continue
            done.add(undo.key)
            labels.append(undo.label)
            state = undo.leaves or state
    return labels, state


def runs(slot: Slot | None) -> bool:
    return bool(slot and slot.runs)


def cautions(container: Container) -> list[str]:
    """What its scripts, as they are, can lead to."""
    running = {slot.place for slot in scripts(container) if slot.runs}
    own = {action for scope, action in running if scope is Scope.OWN}
    node = container.node
    found = []
    if actions.STOP in own:
        found.append(
            "Should its stop script fail, the container goes on running; staff can stop it "
            "without that script."
        )
    if {actions.MOUNT, actions.START} <= own and node.undo_profile == UndoProfile.DOCUMENTED:
        found.append(
            "Should its start script fail, no umount script runs: what its mount script mounted "
            "is detached instead."
        )
    if left_out := switched_off(container):
        found.append(left_out)
    if running and not node.script_timeout:
        found.append(f"On {node} scripts have no time limit: one that hangs is never ended.")
    return found


def switched_off(container: Container) -> str:
    """Own scripts that a reinstallation went without, and that nobody has turned on since."""
    off = container.scripts.filter(name__in=(actions.START.name, actions.STOP.name), enabled=False)
    names = " and ".join(off.order_by("name").values_list("name", flat=True))
    without = container.operations.filter(
        state=Progress.SUCCEEDED, params__without_own_scripts=True
    )
    if not names or not (last := without.first()):
        return ""
    return (
        f"Its {names} scripts have been off since the reinstallation of "
        f"{localtime(last.requested):%-d %B %Y}, which went without them. Enable them on their "
        "pages."
    )


def scripts(container: Container) -> list[Slot]:
    """The places of its scripts and of its node's global ones, in the documentation's order."""
    own = {script.name: script for script in container.scripts.all()}
    of_node = {script.name: script for script in container.node.scripts.all()}
    last = last_runs(container)
    slots = []
    for action in actions.ALL:
        for scope in action.scopes:
            script = (own if scope is Scope.OWN else of_node).get(action.name)
            current = script.current if script else None
            slots.append(
                Slot(
                    ScriptTarget.running_for(container, scope, action),
                    script,
                    current.number if current else None,
                    last.get(f"{scope}-{action}"),
                )
            )
    return slots


def last_runs(container: Container) -> dict[str, OperationStep]:
    """How each script ended the last time it ran for this container, by the key of its step."""
    steps = OperationStep.objects.filter(
        operation__container=container, operation__state__in=FINISHED, key__in=PLACES
    ).exclude(began=None)
    return {step.key: step for step in steps.order_by("pk").select_related("operation")}
