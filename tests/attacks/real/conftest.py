"""Real containers, for those who mean harm: the node of tests/real, with a pool of its own."""

from pathlib import Path

import pytest

from tests.real.conftest import (  # noqa: F401 (fixtures)
    busybox,
    node_conf,
    rig,
    zygote,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("real")
