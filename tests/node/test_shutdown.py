"""How a stopping node ends its containers, as vz.conf says."""

import os

import pytest

from containers.node.shutdown import LIMIT, LONGEST, Shutdown


def test_without_a_word_containers_are_stopped_a_few_at_a_time_within_five_minutes() -> None:
    assert Shutdown.of({}) == Shutdown("stop", 4 * (os.cpu_count() or 1), LIMIT)


def test_vz_conf_decides() -> None:
    said = {"VE_STOP_MODE": "suspend", "VE_PARALLEL": "3", "NODE_STOP_TIMEOUT": "60"}
    assert Shutdown.of(said) == Shutdown("suspend", 3, 60)
    assert Shutdown.of(said, 0).limit == 0


@pytest.mark.parametrize("said", ["", "many", "-1", "0", "1.5", "9" * 30])
def test_a_line_that_says_nothing_sensible_is_as_none(said: str) -> None:
    read = Shutdown.of({"VE_STOP_MODE": said, "VE_PARALLEL": said, "NODE_STOP_TIMEOUT": said})
    assert read == Shutdown.of({})


def test_no_limit_is_longer_than_systemd_waits() -> None:
    assert Shutdown.of({"NODE_STOP_TIMEOUT": "100000"}).limit == LONGEST
    assert Shutdown.of({}, 100000).limit == LONGEST
