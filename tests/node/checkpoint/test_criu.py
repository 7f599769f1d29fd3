"""Where CRIU is found, and what its logs tell."""

from pathlib import Path

import pytest

from containers.node.checkpoint import criu
from containers.node.conf import NodeConf


@pytest.fixture
def conf(tmp_path: Path) -> NodeConf:
    return NodeConf("alpha", tmp_path, tmp_path / "vz", tmp_path / "etc")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin/criu"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho Version: 9.8\n")
    path.chmod(0o755)
    return path


def status(conf: NodeConf, text: str) -> None:
    (conf.state / "criu").mkdir(exist_ok=True)
    (conf.state / "criu/status").write_text(text)


def test_the_one_that_set_up_found_is_used(conf: NodeConf, program: Path) -> None:
    status(conf, f"ok {program} 4.2.1\n")
    assert criu.find(conf, {}) == criu.Criu(program, "4.2.1")


def test_the_environment_overrides_it(conf: NodeConf, program: Path) -> None:
    status(conf, "off: it does not work\n")
    assert criu.find(conf, {"PANEL_CRIU": f"{program}"}) == criu.Criu(program, "9.8")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, "no CRIU was set up (make setup does)"),
        ("off: no CRIU works on kernel 6.18: a dump fails", "no CRIU works on kernel 6.18"),
        ("ok /no/such/criu 4.2.1", "/no/such/criu is gone"),
    ],
)
def test_the_reason_why_there_is_none_is_told(
    conf: NodeConf, said: str | None, reason: str
) -> None:
    if said:
        status(conf, f"{said}\n")
    with pytest.raises(criu.Off, match="Process snapshots are off on this node") as off:
        criu.find(conf, {})
    assert reason in f"{off.value}"


LOG = """(00.000001) Version: 4.2.1
(00.008541) Error (criu/util.c:1): Can't do RLIMIT_NOFILE things
(00.058541) Error (criu/sk-unix.c:886): unix: External socket is used. Consider using --ext-unix-sk option.
(00.058561) Error (criu/cr-dump.c:1600): Dump files (pid: 12) failed with -1
(00.075502) Error (criu/cr-dump.c:2128): Dumping FAILED.
"""  # noqa: E501


def test_an_error_is_told_in_the_operators_words(tmp_path: Path) -> None:
    log = tmp_path / "dump.log"
    log.write_text(LOG)
    assert "to one that is not part of it" in criu.fault(log)


def test_an_error_nobody_knows_is_told_in_crius_words(tmp_path: Path) -> None:
    log = tmp_path / "dump.log"
    log.write_text(LOG.replace("External socket is used.", "Something new."))
    assert criu.fault(log).startswith("unix: Something new")


def test_without_a_log_there_is_no_reason(tmp_path: Path) -> None:
    assert criu.fault(tmp_path / "none") == ""


def test_a_restore_is_given_longer_for_more_memory() -> None:
    assert criu.time_limit(0) == 60
    assert criu.time_limit(2 << 30) == pytest.approx(162.4, 0.01)
