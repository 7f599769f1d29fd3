"""A plan is a table of steps. Follow it down; when a step fails, undo it back up."""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from containers.node.actions import Action, Scope, Where
from containers.node.ct import Ct
from containers.node.errors import Cancelled, Code, NoSpace, OperationError, Problem, Refused
from containers.node.states import Omission, State

Act = Callable[[Ct], None]
When = Callable[[Ct], bool]
Undo = Sequence["Step"] | Mapping[str, Sequence["Step"]]


@dataclass(frozen=True)
class Step:
    """One line of a plan. It happens whole, or it raises.

    key: names it in the journal and in rows.
    undo: the steps that take it back, in order; where the undo profiles differ, by profile.
    Every undo is idempotent, and safe when what it undoes was only half done.
    leaves: the container's state after it.
    when: whether it applies, asked when its turn comes.
    spared: whether somebody asked to have it left out. there: whether the script it runs is there.
    commits: once it has begun, a dead runner's operation is finished rather than undone.
    once: an interrupted one is never done a second time; it counts as failed (scripts).
    unbroken: what it runs is not to be ended half way, also when its runner is dead.
    scripts: those that it runs; of a hook the first that is there.
    regardless: of an undo, that it is done though one before it has failed: it keeps what would
    be lost.
    """

    key: str
    label: str
    do: Act
    undo: Undo = ()
    leaves: State | None = None
    where: Where = Where.NODE
    when: When = lambda ct: True
    spared: When = lambda ct: False
    there: When = lambda ct: True
    ignore_failure: bool = False
    commits: bool = False
    once: bool = False
    unbroken: bool = False
    regardless: bool = False
    scripts: tuple[tuple[Scope, Action], ...] = ()

    def undoing(self, profile: str) -> Sequence["Step"]:
        if isinstance(self.undo, Mapping):
            return self.undo[profile]
        return self.undo

    def but(self, **changes: object) -> "Step":
        """The same step with other fields, as step.but(ignore_failure=True)."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def only(self, when: When) -> "Step":
        """The same step, where that holds too."""
        return self.but(when=lambda ct: when(ct) and self.when(ct))

    def spare(self, spared: When) -> "Step":
        """The same step, but that it is left out where somebody asked for that."""
        return self.but(spared=lambda ct: spared(ct) or self.spared(ct))

    def omitted(self, ct: Ct) -> Omission | None:
        """Why it is not taken now; None when it is."""
        if self.spared(ct):
            return Omission.ASKED
        if not self.when(ct):
            return Omission.NEEDLESS
        return None if self.there(ct) else Omission.NO_SCRIPT


class Steps(tuple[Step, ...]):
    """Steps in a row, as more than one plan takes them; steps of it are named by their keys."""

    def but(self, *which: Step, **changes: object) -> "Steps":
        """The same with other fields: those that are named, or all of them."""
        return self.changed(which, lambda step: step.but(**changes))

    def only(self, when: When, *which: Step) -> "Steps":
        """The same, those that are named, or all of them, only where that holds too."""
        return self.changed(which, lambda step: step.only(when))

    def spare(self, spared: When, *which: Step) -> "Steps":
        """The same, but that those that are named, or all of them, are left out where asked."""
        return self.changed(which, lambda step: step.spare(spared))

    def without(self, *which: Step) -> "Steps":
        keys = self.keys(which)
        return Steps(step for step in self if step.key not in keys)

    def upto(self, end: Step) -> "Steps":
        """Those before it."""
        return Steps(self[: [step.key for step in self].index(end.key)])

    def changed(self, which: Sequence[Step], change: Callable[[Step], Step]) -> "Steps":
        keys = self.keys(which or self)
        return Steps(change(step) if step.key in keys else step for step in self)

    def keys(self, which: Sequence[Step]) -> set[str]:
        """Raises ValueError for one that is not among them."""
        keys = {step.key for step in which}
        if unknown := keys - {step.key for step in self}:
            raise ValueError(f"no such step here: {', '.join(sorted(unknown))}")
        return keys


@dataclass(frozen=True)
class Refusal:
    """Why a plan does not begin; code 0 when there is nothing left to do."""

    problem: Problem
    own_code: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> int:
        return self.problem.code if self.own_code is None else self.own_code

    @property
    def error(self) -> Refused:
        return Refused(self.problem, self.code, **self.details)

    def told(self, *, staff: bool) -> str:
        return self.error.told(staff=staff)


def asked(*params: str) -> When:
    """Whether somebody gave one of these."""
    return lambda ct: any(ct.params.get(param) for param in params)


Entry = Mapping[State, Sequence[Step] | Refusal]

NOT_NOW = {
    State.CREATING: Refusal(Problem.BEING_CREATED),
    State.PAUSED: Refusal(Problem.PAUSED),
    State.SUSPENDED: Refusal(Problem.SUSPENDED),
    State.BROKEN: Refusal(Problem.PRIVATE_MISSING),
    State.UNKNOWN: Refusal(Problem.STATE_UNKNOWN),
}


@dataclass(frozen=True)
class Plan:
    """entry: the steps to take from each state, or why not. What it does not name is refused."""

    label: str
    entry: Entry
    exclusive: bool = True
    on_container: bool = True
    makes: bool = False  # its container; a failure leaves none
    removes: bool = False  # its container
    touches: tuple[str, ...] = ()  # what else lies on the node: templates, replaced_systems
    code: Code | None = None  # what a failure of it exits with, but for 128 and refusals

    def refusal(self, state: State) -> Refusal | None:
        found = self.way(state)
        return found if isinstance(found, Refusal) else None

    def steps(self, state: State) -> Sequence[Step]:
        found = self.way(state)
        return () if isinstance(found, Refusal) else found

    def way(self, state: State) -> Sequence[Step] | Refusal:
        if state in self.entry:
            return self.entry[state]
        return NOT_NOW.get(
            state, Refusal(Problem.WRONG_STATE, details={"label": self.label, "state": state.value})
        )


class Journal(Protocol):
    """Where it is written down that a step begins and ends, before and after it does."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def skipped(self, step: Step, why: Omission) -> None: ...
    def began(self, step: Step, *, undoing: bool = False) -> None: ...
    def ended(self, step: Step, error: OperationError | None = None) -> None: ...
    def state(self, state: State) -> None: ...


def follow(plan: Plan, ct: Ct, journal: Journal) -> None:
    """Take the steps in turn. Raises what the failing step raised, after undoing."""
    refusal = plan.refusal(ct.state)
    if refusal and refusal.code:
        raise refusal.error
    if refusal:
        ct.say(f"{refusal.error}")
        return
    steps = plan.steps(ct.state)
    journal.planned(steps)
    take(steps, ct, journal)


class Unwritten:
    """The journal of a plan within a step: that step is what is written down."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def skipped(self, step: Step, why: Omission) -> None: ...
    def began(self, step: Step, *, undoing: bool = False) -> None: ...
    def ended(self, step: Step, error: OperationError | None = None) -> None: ...
    def state(self, state: State) -> None: ...


@dataclass(frozen=True)
class Whole:
    """Several steps as what one step does: they happen, or are undone among themselves."""

    steps: tuple[Step, ...]

    def __call__(self, ct: Ct) -> None:
        take(self.steps, ct, Unwritten())


def whole(steps: Sequence[Step]) -> Whole:
    return Whole(tuple(steps))


def scripts_of(steps: Sequence[Step], profile: str) -> Iterator[tuple[Scope, Action]]:
    """Every script that these steps may run, and those that undo them; some more than once."""
    for step in steps:
        yield from step.scripts
        if isinstance(step.do, Whole):
            yield from scripts_of(step.do.steps, profile)
        yield from scripts_of(step.undoing(profile), profile)


def take(steps: Sequence[Step], ct: Ct, journal: Journal, taken: Sequence[Step] = ()) -> None:
    """Take the steps in turn; taken: those that were taken before, and are undone with them."""
    done = list(taken)
    for step in steps:
        if why := step.omitted(ct):
            journal.skipped(step, why)
            if why is Omission.ASKED:
                ct.say(f"==> {step.label}: {why}")
            continue
        done.append(step)
        try:
            perform(step, ct, journal)
        except OperationError as error:
            if not passed_over(step, error, ct):
                if not isinstance(error, Cancelled):
                    ct.executor.spare_undo()
                unwind(done, ct, journal)
                raise


def passed_over(step: Step, error: OperationError, ct: Ct) -> bool:
    if not step.ignore_failure or isinstance(error, Cancelled):
        return False
    ct.say(f"{error} The operation continues without it.")
    ct.ignored.add(step.key)
    return True


def perform(step: Step, ct: Ct, journal: Journal, *, undoing: bool = False) -> None:
    ct.say(f"{'<==' if undoing else '==>'} {step.label}")
    journal.began(step, undoing=undoing)
    try:
        if ct.dry_run:
            ct.say("dry run: nothing is done")
        else:
            step.do(ct)
    except OperationError as error:
        journal.ended(step, error)
        raise
    except OSError as error:
        failure = of_system(error, step)
        journal.ended(step, failure)
        raise failure from error
    except Exception as error:
        failure = OperationError(
            Problem.STEP_FAILED, step=step.key, label=step.label, why=repr(error)
        )
        journal.ended(step, failure)
        raise failure from error
    journal.ended(step)
    if step.leaves:
        ct.state = step.leaves
        journal.state(ct.state)


def of_system(error: OSError, step: Step) -> OperationError:
    """What the system refused, with the step that it happened in."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(step=step.key, path=error.filename)
    why = f"{error.strerror}: {error.filename}"
    return OperationError(
        Problem.STEP_FAILED, step=step.key, label=step.label, path=error.filename, why=why
    )


def unwind(
    taken: Sequence[Step], ct: Ct, journal: Journal, *, without: Collection[str] = ()
) -> bool:
    """Undo what was taken, the last first, up to the first undo that fails: the rest remains.

    without: keys of steps that are not done again, if they are to be done once only. False when
    one has failed.
    """
    whole = True
    for step in reversed(taken):
        for undo in step.undoing(ct.profile):
            if not (whole or undo.regardless):
                continue
            if undo.omitted(ct) or (undo.once and undo.key in without):
                continue
            try:
                perform(undo, ct, journal, undoing=True)
            except OperationError as error:
                if passed_over(undo, error, ct):
                    continue
                ct.say(f"{error} The rest is left as it is." if whole else f"{error}")
                whole = False
    return whole
