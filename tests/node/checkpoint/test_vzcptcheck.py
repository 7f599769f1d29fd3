"""vzcptcheck: outputs and exit codes of its man page, and as quick as an interpreter starts."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from containers.commands import vzcptcheck
from containers.node.checkpoint import cpu
from containers.node.conf import CHECKOUT, load

ARGV = [sys.executable, "-P", "-m", "containers.commands.vzcptcheck"]


def run(*words: str) -> tuple[int, str, str]:
    env = {**os.environ, "PYTHONPATH": f"{CHECKOUT}"}
    done = subprocess.run([*ARGV, *words], capture_output=True, text=True, env=env, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_it_shows_the_version_and_what_the_processor_can_do() -> None:
    assert run("version") == (0, "256\n", "")
    assert run("caps") == (0, f"{cpu.of_node()}\n", "")


@pytest.mark.parametrize(("number", "code"), [(256, 0), (255, 2), (257, 2), (512, 2), (2051, 2)])
def test_it_tests_a_version(number: int, code: int) -> None:
    said = f"CPT version {number} rejected: can't migrate\n" if code else ""
    assert run("version", f"{number}") == (code, "", said)


def test_it_tests_what_another_processor_can_do() -> None:
    here = cpu.of_node()
    assert run("caps", f"{here}") == (0, "", "")
    assert run("caps", f"{here | 1 << 120}") == (0, "", "")
    code, out, said = run("caps", f"{here & ~(1 << 2)}")
    assert (code, out) == (2, "")
    assert said == (
        "Destination cpu does not have sse\nInsufficient CPU capabilities: can't migrate\n"
    )


@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_help_is_no_error(words: tuple[str, ...]) -> None:
    code, out, said = run(*words)
    assert (code, said) == (0, "")
    assert out.startswith("Usage: vzcptcheck property [argument ...]\n")


@pytest.mark.parametrize(
    "words",
    [("no-such-property",), ("version", "1", "2"), ("caps", "1", "2", "3"), ("help", "me")],
)
def test_bad_usage_is_1_with_the_usage_on_stderr(words: tuple[str, ...]) -> None:
    code, out, said = run(*words)
    assert (code, out) == (1, "")
    assert said.startswith("Usage: ")


@pytest.mark.parametrize(
    "words", [("version", "x"), ("caps", "-1"), ("caps", "0"), ("caps", ""), ("caps", "x", "1")]
)
def test_what_is_no_number_is_an_error(words: tuple[str, ...]) -> None:
    code, out, said = run(*words)
    assert (code, out) == (1, "")
    assert said


def test_a_container_that_does_not_run_is_an_error() -> None:
    assert run("caps", "4711", "1") == (1, "", "CT 4711 is not running\n")


def test_it_looks_where_the_node_has_its_containers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert vzcptcheck.run_dir() == f"{load().run}"
    monkeypatch.setenv("PANEL_STATE_DIR", f"{tmp_path}/state")
    monkeypatch.setenv("PANEL_RUN_DIR", f"{tmp_path}/run")
    assert vzcptcheck.run_dir() == f"{load().run}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PANEL_STATE_DIR", "state")
    assert Path(vzcptcheck.run_dir()) == load().run


def test_it_starts_neither_django_nor_the_panel() -> None:
    code = (
        "import sys; sys.argv = ['vzcptcheck', 'caps', '4711', '1'];"
        "from containers.commands import vzcptcheck; vzcptcheck.main();"
        "print(*(name for name in sys.modules if name.split('.')[0] in ('django', 'channels')"
        " or name in ('containers.models', 'dataclasses', 'json', 'subprocess')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=CHECKOUT, timeout=30)  # fmt: skip
    assert done.stdout == "\n"


def test_it_takes_at_most_twice_as_long_as_a_bare_interpreter() -> None:
    """The quickest of many runs of each, in turns: others use the machine too."""
    env = {**os.environ, "PYTHONPATH": f"{CHECKOUT}"}
    run("caps")
    bare, ours = [], []
    for _ in range(25):
        bare.append(seconds([sys.executable, "-c", "pass"], env))
        ours.append(seconds([*ARGV, "caps"], env))
    assert min(ours) <= 2 * statistics.median(bare)


def seconds(argv: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, timeout=30, check=True)
    return time.perf_counter() - began
