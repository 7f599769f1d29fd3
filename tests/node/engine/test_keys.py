"""A key names one step: in all plans, their undos, and in steps that are made of others."""

from collections.abc import Iterator, Sequence

import pytest

from containers.node.actions import Where
from containers.node.errors import Code
from containers.node.journal import FORMER, Past
from containers.node.operations import PLANS
from containers.node.plan import Act, Step, Whole
from containers.node.states import State
from tests.node.engine.rig import Rig, toy
from tests.node.engine.test_recovering import began, ended, planned, recovered
from tests.node.engine.toy import step, undone_by
from tests.node.engine.transcripts import PROFILES


def everything() -> Iterator[Step]:
    for plan in PLANS.values():
        for state in plan.entry:
            for each in plan.steps(state):
                yield from within(each)


def within(step: Step) -> Iterator[Step]:
    """It, what it is made of, and all of its undos."""
    yield step
    inner = step.do.steps if isinstance(step.do, Whole) else ()
    for each in (*inner, *(undo for profile in PROFILES for undo in step.undoing(profile))):
        yield from within(each)


def what_it_is(step: Step) -> tuple[object, str, Where]:
    """Made of others, it is their keys: whether each of them applies may differ."""
    does: Act | list[str] = (
        [each.key for each in step.do.steps] if isinstance(step.do, Whole) else step.do
    )
    return does, step.label, step.where


def test_one_key_never_names_two_different_steps() -> None:
    found: dict[str, tuple[object, str, Where]] = {}
    for each in everything():
        assert found.setdefault(each.key, what_it_is(each)) == what_it_is(each), each.key


def test_a_key_is_a_word_that_can_be_typed() -> None:
    for each in everything():
        assert each.key.replace("-", "").isalpha(), each.key
        assert each.key == each.key.lower()


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_is_known_by_the_keys_that_its_steps_had_before_an_upgrade(kind: str) -> None:
    plan = PLANS[kind]
    for state in plan.entry:
        steps = plan.steps(state)
        past = Past(planned=tuple(FORMER.get(each.key, each.key) for each in steps))
        ways = sorted(map(plan.steps, plan.entry), key=len)
        known = next(found for way in ways if (found := past.among(way)) is not None)
        assert [each.key for each in known] == [each.key for each in steps]


@pytest.mark.parametrize(
    ("kind", "state", "keys"),
    [
        ("create", State.CREATING,
         "check-addresses check-new make-private copy-template limit-disk identify let-in"
         " write-scripts write-conf global-create settle"),
        ("snapshot", State.STOPPED,
         "check check-snapshot begin-snapshot copy-snapshot seal-snapshot publish-snapshot"),
        ("umount", State.MOUNTED,
         "write-scripts delete own-umount global-umount dismount own-postumount"
         " global-postumount"),
        ("import_template", State.STOPPED, "check begin unpack publish"),
    ],
)  # fmt: skip
def test_rows_of_steps_that_journals_have_from_before_an_upgrade(
    kind: str, state: State, keys: str
) -> None:
    planned = keys.split()
    found = Past(planned=tuple(planned)).among(PLANS[kind].steps(state))
    assert found is not None
    assert [FORMER.get(each.key, each.key) for each in found] == [
        FORMER.get(key, key) for key in planned
    ]


@pytest.mark.parametrize("key", FORMER)
def test_what_has_got_another_key_is_a_step_that_there_is(key: str) -> None:
    found = [each for each in everything() if each.key == key]
    assert found
    # Journals name these two by their keys beside the row, which are not looked up there.
    assert not any(each.once or each.ignore_failure for each in found)


def test_an_operation_begun_before_an_upgrade_is_recovered_after_it(rig: Rig) -> None:
    plan = toy(
        step("begin-new", undo=undone_by("discard-new")),
        step("identify-new", undo=undone_by("forget")),
        step("wait-for-disk"),
    )
    before = [planned("begin", "identify", "settle"), began(0, "begin"), ended(0),
              began(1, "identify")]  # fmt: skip

    outcome = recovered(rig, plan, before)

    assert outcome.undos == ["forget", "discard-new"]
    assert outcome.end["code"] == Code.SYSTEM
    assert outcome.end["progress"] == "interrupted"


def test_one_that_had_begun_to_commit_is_completed_after_it(rig: Rig) -> None:
    plan = toy(step("begin-new"), step("keep-other", commits=True), step("write-conf"))
    before = [planned("begin", "settle", "write-conf"), began(0, "begin"), ended(0),
              began(1, "settle")]  # fmt: skip

    outcome = recovered(rig, plan, before)

    own: Sequence[str] = [e["step"] for e in outcome.events[4:] if e["ev"] == "began"]
    assert own == ["keep-other", "write-conf"]
