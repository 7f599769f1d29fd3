"""Steps in a row, as plans share them: the same but for some, some only, some left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from containers.node.ct import Ct
from containers.node.operations import PLANS
from containers.node.plan import Step, Steps, take
from containers.node.states import Omission, State
from tests.node.engine.toy import Recorder, alpha, container, nothing, step, undone_by
from tests.node.engine.transcripts import Situation, container_in, having

A, B, C = step("a"), step("b"), step("c", leaves=State.RUNNING)
ABC = Steps([A, B, C])


def yes(ct: Ct) -> bool:
    return True


def no(ct: Ct) -> bool:
    return False


@pytest.mark.parametrize(
    ("own", "when", "applies"), [(yes, yes, True), (yes, no, False), (no, yes, False)]
)
def test_a_step_applies_only_where_both_hold(
    tmp_path: Path, own: Callable[[Ct], bool], when: Callable[[Ct], bool], applies: bool
) -> None:
    assert step("a", when=own).only(when).when(container(alpha(tmp_path))) is applies


def test_what_a_step_needs_is_not_asked_where_the_other_does_not_hold(tmp_path: Path) -> None:
    """So it may rely on that: on a folder, say, that is there only then."""

    def asked(ct: Ct) -> bool:
        raise AssertionError

    assert not step("a", when=asked).only(no).when(container(alpha(tmp_path)))


def test_all_steps_or_those_that_are_named_get_other_fields() -> None:
    undo = undone_by("undo-b")
    assert ABC.but(ignore_failure=True) == tuple(s.but(ignore_failure=True) for s in ABC)
    assert ABC.but(B, undo=undo) == (A, B.but(undo=undo), C)
    assert ABC.but(B, C, leaves=State.MOUNTED)[1:] == (
        B.but(leaves=State.MOUNTED),
        C.but(leaves=State.MOUNTED),
    )


def test_all_steps_or_those_that_are_named_apply_only_where_that_holds(tmp_path: Path) -> None:
    ct = container(alpha(tmp_path))
    assert [s.when(ct) for s in ABC.only(no)] == [False, False, False]
    assert [s.when(ct) for s in ABC.only(no, B)] == [True, False, True]


def test_a_step_is_named_by_its_key_whatever_else_was_changed() -> None:
    assert ABC.without(B.but(ignore_failure=True)) == (A, C)
    assert ABC.without(A, C) == (B,)
    assert ABC.upto(C.but(leaves=None)) == (A, B)
    assert ABC.upto(A) == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda it: ABC.without(it),
        lambda it: ABC.upto(it),
        lambda it: ABC.but(it, once=True),
        lambda it: ABC.only(yes, it),
    ],
)
def test_one_that_is_not_among_them_is_a_mistake(change: Callable[[Step], Steps]) -> None:
    with pytest.raises(ValueError, match=r"no such step here: d|is not in list"):
        change(step("d"))


def test_words_can_be_put_one_after_the_other() -> None:
    assert ABC.without(A).upto(C).but(once=True) == (B.but(once=True),)


ASKED, NEEDLESS, NO_SCRIPT = Omission.ASKED, Omission.NEEDLESS, Omission.NO_SCRIPT
FULL = Situation("with all scripts")
BARE = Situation("without a script", lacks=("scripts",))


@pytest.mark.parametrize(
    ("kind", "situation", "omitted"),
    [
        ("stop", FULL, {}),
        ("stop", BARE, {"own-stop": NO_SCRIPT, "global-umount": NO_SCRIPT}),
        ("stop", having(without_stop_script=True), {"own-stop": ASKED}),
        ("stop", having(skip_umount=True), {"own-umount": ASKED, "dismount": ASKED}),
        ("snapshot", FULL, {"own-umount": NEEDLESS, "keep-scripts": NEEDLESS}),
        ("reinstall", having(without_own_scripts=True), {"own-stop": ASKED, "own-start": ASKED}),
        ("reinstall", having(resetpwdb=True, skipbackup=True),
         {"credentials": ASKED, "keep-old": ASKED}),
        ("reinstall", BARE, {"vps-configure": NO_SCRIPT, "vps-reinstall": NO_SCRIPT}),
    ],
)  # fmt: skip
def test_it_is_told_why_a_step_was_left_out(
    tmp_path: Path, kind: str, situation: Situation, omitted: dict[str, Omission]
) -> None:
    said: list[str] = []
    ct, journal = container_in(tmp_path, situation), Recorder()
    ct.say = said.append
    ct.state = State.RUNNING
    take([each.but(do=nothing) for each in PLANS[kind].steps(ct.state)], ct, journal)

    found = {key: why for key, why in journal.omissions.items() if key in omitted}
    assert found == omitted
    if not omitted:
        assert ASKED not in journal.omissions.values()
    asked = [line for line in said if line.endswith(": left out, as asked")]
    assert len(asked) == [*journal.omissions.values()].count(ASKED)
