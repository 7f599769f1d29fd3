"""Skips that CI lets pass: a pytest plugin, `-p tests.skips`."""

import re

import pytest

MACHINES_DIFFER = re.compile(r"\b(CRIU|NAT|FUSE)\b")


class Strict:
    def __init__(self) -> None:
        self.refused: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.note(report.nodeid, report.longrepr)

    def note(self, nodeid: str, said: object) -> None:
        reason = f"{said[2] if isinstance(said, tuple) else said}"
        if not MACHINES_DIFFER.search(reason):
            self.refused[nodeid] = reason

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.refused:
            terminalreporter.section("skipped, which CI does not let pass", red=True)
            for nodeid, reason in self.refused.items():
                terminalreporter.line(f"{nodeid}: {reason}")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # pytest-xdist's workers report to the one that counts
        config.pluginmanager.register(Strict(), "strict-skips")
