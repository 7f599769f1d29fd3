"""The people and places of tests/web, for those who mean harm."""

from collections.abc import Iterator

import pytest

from containers.gate import door
from containers.gate.visitor import sessions
from containers.views.sign_in import attendance
from tests.web.conftest import (  # noqa: F401 (fixtures)
    alice,
    alpha,
    as_alice,
    as_bob,
    as_carol,
    bob,
    browse,
    busybox,
    carol,
    ct101,
    fresh_channel_layers,
    node_conf,
    operation,
    run,
    scribe,
    worker,
)


@pytest.fixture(autouse=True)
def nobody_seen_yet() -> Iterator[None]:
    """What this process remembers of visitors would be the next test's."""
    for memory in (door.buckets.known, sessions, attendance.noted):
        memory.clear()
    yield
    for memory in (door.buckets.known, sessions, attendance.noted):
        memory.clear()
