"""A verdict: what a trial restore takes away of it, and how it travels."""

import json

import pytest

from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.verdict import Answer, Verdict
from containers.node.doubts import BY_TRIAL
from containers.node.errors import Doubts, OperationError, Problem

OFF = Reason.of(OperationError(Problem.SNAPSHOTS_OFF, why="no CRIU"))


@pytest.mark.parametrize("doubt", Doubts)
def test_a_trial_takes_away_exactly_what_only_it_can_tell(doubt: Doubts) -> None:
    reason = Reason.doubt(doubt)
    tried = Verdict(Answer.CANT_TELL, (reason,)).tried()
    expected = Verdict(Answer.OK) if doubt in BY_TRIAL else Verdict(Answer.CANT_TELL, (reason,))
    assert tried == expected


def test_other_doubts_stay_and_so_does_the_answer() -> None:
    copy = Reason.doubt(Doubts.PLAIN_COPY)
    verdict = Verdict(Answer.CANT_TELL, (copy, *map(Reason.doubt, sorted(BY_TRIAL)), OFF))
    assert verdict.tried() == Verdict(Answer.CANT_TELL, (copy, OFF))
    assert Verdict(Answer.OK).tried() == Verdict(Answer.OK)


def test_it_comes_out_of_json_as_it_went_in() -> None:
    verdict = Verdict(Answer.BROKEN, (Reason.doubt(Doubts.DISK_FULL, free=1 << 20), OFF))
    assert Verdict.read(json.loads(json.dumps(verdict.words()))) == verdict
    assert [Reason.read(json.loads(json.dumps(OFF.words())))] == [OFF]


def test_a_node_of_an_older_version_says_plain_reasons() -> None:
    said = {"verdict": "broken", "exit": 2, "reasons": ["its disk is missing"]}
    (reason,) = Verdict.read(said).reasons
    assert reason.told(staff=True) == reason.told(staff=False) == "its disk is missing"
