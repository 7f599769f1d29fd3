"""Somebody at a terminal, who types a command line and reads what it says."""

import shlex
from collections.abc import Callable, Sequence

import pytest

Typist = Callable[[str], tuple[int, str, str]]


def typist(main: Callable[[Sequence[str]], int], capfd: pytest.CaptureFixture[str]) -> Typist:
    """Types a command line; returns exit code, stdout and stderr."""

    def run(line: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(shlex.split(line))
        out, err = capfd.readouterr()
        return code, out, err

    return run
