"""The rig that toy plans run on."""

from pathlib import Path

import pytest

from tests.node.engine.rig import Rig


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig.build(tmp_path, monkeypatch)
