"""A plan is followed down, and undone back up: in which order, how far, and what stops it."""

import contextlib
import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.node.ct import Ct
from containers.node.errors import (
    Cancelled,
    Code,
    CommandFailed,
    NoSpace,
    OperationError,
    Problem,
    Refused,
    ScriptFailed,
)
from containers.node.plan import Plan, Refusal, Step, follow, take, unwind, whole
from containers.node.states import State
from tests.node.engine.toy import Recorder, alpha, container, failing, step, undone_by

REFUSES = failing(ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="mount", exit=7))
SAID = "Its mount script ended with exit code 7."
PROFILES = ("documented", "vzctl")


@pytest.fixture
def ct(tmp_path: Path) -> Ct:
    return container(alpha(tmp_path))


def taken(steps: Sequence[Step], ct: Ct) -> list[str]:
    """What happened, whether it succeeded or not."""
    journal = Recorder()
    with contextlib.suppress(OperationError):
        take(steps, ct, journal)
    return journal.lines


UNDO_A, UNDO_B = undone_by("undo-a1", "undo-a2"), undone_by("undo-b1", "undo-b2")


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        pytest.param([], [], id="no steps"),
        pytest.param([step("a"), step("b")], ["do a", "do b"], id="in their order"),
        pytest.param(
            [step("a", leaves=State.MOUNTED), step("b")],
            ["do a", "now mounted", "do b"],
            id="a state once its step is done",
        ),
        pytest.param(
            [step("a", when=lambda ct: False), step("b")],
            ["skip a", "do b"],
            id="what does not apply is left out",
        ),
        pytest.param(
            [
                step("a", leaves=State.MOUNTED),
                step("b", when=lambda ct: ct.state is State.MOUNTED),
                step("c", when=lambda ct: ct.state is State.STOPPED),
            ],
            ["do a", "now mounted", "do b", "skip c"],
            id="whether it applies is asked when its turn comes",
        ),
        pytest.param(
            [step("a", undo=UNDO_A), step("b", undo=UNDO_B), step("c", REFUSES), step("d")],
            ["do a", "do b", "do c", f"c failed: {SAID}",
             "undo undo-b1", "undo undo-b2", "undo undo-a1", "undo undo-a2"],
            id="undone: the last step first, the undo of each in its own order",
        ),
        pytest.param(
            [step("a", undo=UNDO_A), step("b", REFUSES, undo=UNDO_B)],
            ["do a", "do b", f"b failed: {SAID}",
             "undo undo-b1", "undo undo-b2", "undo undo-a1", "undo undo-a2"],
            id="the failing step too, for it may be half done",
        ),
        pytest.param(
            [step("a", undo=UNDO_A, when=lambda ct: False), step("b", REFUSES)],
            ["skip a", "do b", f"b failed: {SAID}"],
            id="what was left out is not undone",
        ),
        pytest.param(
            [step("a", leaves=State.MOUNTED, undo=[step("undo-a", leaves=State.STOPPED)]),
             step("b", REFUSES, leaves=State.RUNNING)],
            ["do a", "now mounted", "do b", f"b failed: {SAID}", "undo undo-a", "now stopped"],
            id="a failing step leaves no state, an undo does",
        ),
        pytest.param(
            [step("a", undo=UNDO_A), step("b", undo=[step("undo-b1", REFUSES), step("undo-b2")]),
             step("c", REFUSES)],
            ["do a", "do b", "do c", f"c failed: {SAID}",
             "undo undo-b1", f"undo-b1 failed: {SAID}"],
            id="up to the first undo that fails",
        ),
        pytest.param(
            [step("a", undo=UNDO_A),
             step("b", undo=[step("undo-b1", REFUSES, ignore_failure=True), step("undo-b2")]),
             step("c", REFUSES)],
            ["do a", "do b", "do c", f"c failed: {SAID}",
             "undo undo-b1", f"undo-b1 failed: {SAID}", "undo undo-b2",
             "undo undo-a1", "undo undo-a2"],
            id="an undo whose failure is ignored stops nothing",
        ),
        pytest.param(
            [step("a", undo=[step("undo-a1", when=lambda ct: False), step("undo-a2")]),
             step("b", REFUSES)],
            ["do a", "do b", f"b failed: {SAID}", "undo undo-a2"],
            id="an undo that does not apply is left out",
        ),
        pytest.param(
            [step("a", undo=[step("undo-a", undo=undone_by("redo-a"))]), step("b", REFUSES)],
            ["do a", "do b", f"b failed: {SAID}", "undo undo-a"],
            id="an undo is not undone",
        ),
        pytest.param(
            [step("a", REFUSES, undo=UNDO_A, ignore_failure=True), step("b")],
            ["do a", f"a failed: {SAID}", "do b"],
            id="a failure that is ignored ends nothing",
        ),
        pytest.param(
            [step("a", REFUSES, undo=UNDO_A, ignore_failure=True), step("b", REFUSES)],
            ["do a", f"a failed: {SAID}", "do b", f"b failed: {SAID}",
             "undo undo-a1", "undo undo-a2"],
            id="but what it left is undone with the rest",
        ),
        pytest.param(
            [step("a", undo=UNDO_A), step("b", failing(Cancelled()), ignore_failure=True)],
            ["do a", "do b", "b failed: It was cancelled.", "undo undo-a1", "undo undo-a2"],
            id="a cancel is never passed over",
        ),
        pytest.param(
            [step("a", undo=[step("undo-a1", failing(Cancelled()), ignore_failure=True),
                             step("undo-a2")]),
             step("b", REFUSES)],
            ["do a", "do b", f"b failed: {SAID}",
             "undo undo-a1", "undo-a1 failed: It was cancelled."],
            id="nor in an undo, which it ends",
        ),
        pytest.param(
            [step("a", once=True), step("b", commits=True), step("c", unbroken=True)],
            ["do a", "do b", "do c"],
            id="once, commits and unbroken are for those who recover it",
        ),
        pytest.param(
            [step("a", undo=[step("undo-a", once=True)]), step("b", REFUSES)],
            ["do a", "do b", f"b failed: {SAID}", "undo undo-a"],
            id="an undo that is to be done once only is done that once",
        ),
    ],
)  # fmt: skip
def test_steps_are_taken_and_undone(ct: Ct, steps: list[Step], lines: list[str]) -> None:
    assert taken(steps, ct) == lines


UNDONE = {
    "documented": ["undo delete", "undo dismount"],
    "vzctl": ["undo delete", "undo umount", "undo dismount"],
}


@pytest.mark.parametrize("profile", PROFILES)
def test_where_the_undo_profiles_differ_the_containers_own_is_followed(
    ct: Ct, profile: str
) -> None:
    ct.profile = profile
    undo = {"documented": undone_by("delete"), "vzctl": undone_by("delete", "umount")}

    lines = taken([step("mount", undo=undone_by("dismount")), step("create", REFUSES, undo)], ct)

    assert lines[3:] == UNDONE[profile]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_undo_without_profiles_is_that_of_both(ct: Ct, profile: str) -> None:
    ct.profile = profile
    assert taken([step("a", REFUSES, UNDO_A)], ct)[-2:] == ["undo undo-a1", "undo undo-a2"]


@pytest.mark.parametrize(
    ("raised", "kind", "code", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left", "/vz/a"), NoSpace, Code.NO_SPACE,
         "The disk that holds the containers is full."),
        (OSError(errno.EDQUOT, "Quota exceeded", "/vz/a"), NoSpace, Code.NO_SPACE,
         "The disk that holds the containers is full."),
        (OSError(errno.EACCES, "Permission denied", "/vz/a"), OperationError, Code.SYSTEM,
         "It could not take the step a: Permission denied: /vz/a."),
        (ValueError("seven"), OperationError, Code.SYSTEM,
         "It could not take the step a: ValueError('seven')."),
        (CommandFailed(["runc"], 1, "no"), CommandFailed, Code.SYSTEM,
         "The command runc ended with exit code 1: no."),
        (Cancelled(), Cancelled, Code.SCRIPT, "It was cancelled."),
    ],
)  # fmt: skip
def test_whatever_a_step_raises_is_a_failure_of_the_operation(
    ct: Ct, raised: Exception, kind: type[OperationError], code: Code, sentence: str
) -> None:
    journal = Recorder()

    with pytest.raises(OperationError) as caught:
        take([step("a", failing(raised), undo=undone_by("undo-a"))], ct, journal)

    assert type(caught.value) is kind
    assert caught.value.code == code
    assert caught.value is raised or caught.value.__cause__ is raised
    assert journal.lines == ["do a", f"a failed: {sentence}", "undo undo-a"]


def test_an_unexpected_failure_of_an_undo_leaves_the_rest_as_it_is(ct: Ct) -> None:
    said: list[str] = []
    ct.say = said.append
    undo = [step("undo-b", failing(OSError(errno.EBUSY, "Device busy", "/vz/b")))]

    lines = taken([step("a", undo=UNDO_A), step("b", REFUSES, undo)], ct)

    assert lines[-1] == "undo-b failed: It could not take the step undo-b: Device busy: /vz/b."
    assert said[-1].endswith("Device busy: /vz/b. The rest is left as it is.")


def test_the_first_failure_is_raised_whatever_becomes_of_the_undo(ct: Ct) -> None:
    undo = [step("undo-a", failing(OperationError(Problem.SYSTEM_ERROR, why="no way back")))]
    with pytest.raises(ScriptFailed, match="exit code 7"):
        take([step("a", REFUSES, undo)], ct, Recorder())


def test_a_power_cut_is_no_failure_and_nothing_is_undone(ct: Ct) -> None:
    """Nor is whatever else ends the interpreter: the runner that comes next undoes it."""
    journal = Recorder()

    def interrupt(ct: Ct) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take([step("a", undo=UNDO_A), step("b", interrupt)], ct, journal)
    assert journal.lines == ["do a", "do b"]


def test_steps_whose_failure_was_ignored_are_known_to_the_later_ones(ct: Ct) -> None:
    steps = [
        step("umount", REFUSES, ignore_failure=True),
        step("dismount", when=lambda ct: "umount" not in ct.ignored),
        step("start"),
    ]
    assert taken(steps, ct) == ["do umount", f"umount failed: {SAID}", "skip dismount", "do start"]


def test_what_was_taken_before_is_undone_with_the_rest(ct: Ct) -> None:
    journal = Recorder()
    before = [step("a", undo=UNDO_A)]

    with pytest.raises(ScriptFailed):
        take([step("b", REFUSES, undo=UNDO_B)], ct, journal, before)

    assert journal.done == ["b"]
    assert journal.undone == ["undo-b1", "undo-b2", "undo-a1", "undo-a2"]


def test_an_undo_that_a_dead_runner_began_is_not_done_again_if_it_is_to_be_done_once(
    ct: Ct,
) -> None:
    journal = Recorder()
    undo = [step("own-umount", once=True), step("dismount"), step("own-postumount", once=True)]

    unwind([step("mount", undo=undo)], ct, journal, without=("own-umount", "dismount"))

    assert journal.undone == ["dismount", "own-postumount"]


def test_what_keeps_something_is_done_though_an_undo_has_failed(ct: Ct) -> None:
    journal = Recorder()
    keep = step("keep", regardless=True)
    steps = [step("begin", undo=[step("discard"), keep]), step("b", undo=[step("back", REFUSES)])]

    assert not unwind(steps, ct, journal)

    assert journal.undone == ["back", "keep"]
    assert unwind(steps[:1], ct, journal)


def test_a_step_made_of_others_is_one_line_of_the_journal_and_undoes_them_itself(ct: Ct) -> None:
    seen: list[str] = []

    def see(key: str) -> Callable[[Ct], None]:
        return lambda ct: seen.append(key)

    inner = [
        step("pause", see("pause"), undo=[step("thaw", see("thaw"))]),
        step("dump", REFUSES),
    ]

    lines = taken([step("freeze", whole(inner), undo=UNDO_A)], ct)

    assert seen == ["pause", "thaw"]
    assert lines == ["do freeze", f"freeze failed: {SAID}", "undo undo-a1", "undo undo-a2"]


def test_an_inner_step_changes_the_containers_state_though_nobody_notes_it(ct: Ct) -> None:
    inner = [step("delete", leaves=State.MOUNTED), step("dismount", leaves=State.STOPPED)]
    ct.state = State.RUNNING
    assert taken([step("halt", whole(inner))], ct) == ["do halt"]
    assert ct.state is State.STOPPED


BUSY = Refusal(Problem.STILL_RUNNING)
DONE = Refusal(Problem.ALREADY_MOUNTED, Code.OK)
TOY = Plan(
    "Mount",
    entry={State.STOPPED: [step("mount")], State.RUNNING: BUSY, State.MOUNTED: DONE},
)


@pytest.mark.parametrize(
    ("state", "code", "problem"),
    [
        (State.RUNNING, 32, Problem.STILL_RUNNING),
        (State.PAUSED, 32, Problem.PAUSED),
        (State.SUSPENDED, 32, Problem.SUSPENDED),
        (State.CREATING, 14, Problem.BEING_CREATED),
        (State.BROKEN, 43, Problem.PRIVATE_MISSING),
        (State.UNKNOWN, 3, Problem.STATE_UNKNOWN),
    ],
)
def test_a_plan_that_is_not_for_a_state_is_refused_and_nothing_is_noted(
    ct: Ct, state: State, code: int, problem: Problem
) -> None:
    journal = Recorder()
    ct.state = state

    with pytest.raises(Refused) as caught:
        follow(TOY, ct, journal)

    assert (caught.value.code, caught.value.problem) == (code, problem)
    assert journal.lines == []


def test_a_state_that_nobody_has_thought_of_is_refused_in_the_plans_own_words(ct: Ct) -> None:
    ct.state = State.MOUNTED
    with pytest.raises(
        Refused, match="The operation resume is not for a mounted container"
    ) as caught:
        follow(Plan("Resume", entry={}), ct, Recorder())
    assert caught.value.code == Code.SYSTEM


def test_where_nothing_is_left_to_do_that_is_said_and_is_a_success(ct: Ct) -> None:
    said: list[str] = []
    ct.say, ct.state = said.append, State.MOUNTED
    journal = Recorder()

    follow(TOY, ct, journal)

    assert (said, journal.lines) == (["The container is already mounted."], [])


def test_a_plan_is_noted_whole_before_its_first_step(ct: Ct) -> None:
    journal = Recorder()
    follow(Plan("Toy", entry={State.STOPPED: [step("a"), step("b")]}), ct, journal)
    assert journal.lines == ["plan: a b", "do a", "do b"]


def test_what_is_said_marks_the_way_down_and_the_way_back(ct: Ct) -> None:
    said: list[str] = []
    ct.say = said.append

    taken([step("a", undo=undone_by("undo-a")), step("b", REFUSES)], ct)

    assert said == [
        "==> take the step a",
        "==> take the step b",
        "<== take the step undo-a",
    ]


@pytest.mark.parametrize(
    "changes", [{"leaves": State.MOUNTED}, {"once": True}, {"ignore_failure": True, "undo": UNDO_A}]
)
def test_the_same_step_but_for_some_fields(changes: dict[str, Any]) -> None:
    one = step("a")
    other = one.but(**changes)
    assert {name: getattr(other, name) for name in changes} == changes
    assert (other.key, other.do, other.when) == (one.key, one.do, one.when)
    assert one == step("a")
