"""What every plan does from every state, compared with the files that say so."""

import pytest

from containers.node.operations import PLANS
from tests.node.engine import transcripts


@pytest.fixture(autouse=True)
def _no_criu_of_the_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PANEL_CRIU", raising=False)


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_does_what_its_transcript_says(kind: str) -> None:
    """Meant to change? `python -m tests.node.engine.transcripts`, and read the difference."""
    assert transcripts.text(kind) == (transcripts.FOLDER / f"{kind}.txt").read_text()


def test_there_is_a_transcript_for_every_plan_and_for_nothing_else() -> None:
    assert {path.stem for path in transcripts.FOLDER.iterdir()} == {*PLANS}


def test_a_situation_is_one_of_a_plan_that_there_is() -> None:
    assert {*transcripts.SITUATIONS} <= {*PLANS}
