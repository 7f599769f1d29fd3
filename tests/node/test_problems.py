"""The words of failures: each has its sentences, and whoever raises one gives what they need."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import errors, problems, wording
from containers.node.doubts import Hindrances
from containers.node.errors import (
    BadTrees,
    BadUsages,
    BadValue,
    BadValues,
    Cancelled,
    CommandFailed,
    Doubts,
    NoSpace,
    OperationError,
    Problem,
    ScriptFailed,
    TimedOut,
    Unfits,
)
from containers.node.faults import Fault
from containers.node.plan import Refusal
from containers.node.problems import FAULTS, for_customers, for_staff

ROOT = Path(problems.__file__).parents[1]
ALL = (Problem, BadValues, BadTrees, BadUsages, Unfits, Doubts, Hindrances)
TABLES = {table.__name__: table for table in ALL}
LINES = [line for table in TABLES.values() for line in table if line not in FAULTS]
OF_FAULTS = {table: problem for problem, table in FAULTS.items()}
# What only staff know of, or may know
NOT_FOR_CUSTOMERS = re.compile(
    r"exit code|signal \d|\bpctl\b|\bosctl\b|private area|btrfs|runc\b|CRIU|vz\.conf|zygote|runner"
    r"|/vz|/proc|/etc/subuid|\bstep\b|dismount",
    re.IGNORECASE,
)
SAMPLES: dict[str, object] = {
    "exit": 3, "scope": "own", "action": "start", "seconds": 600.0, "said": "no such device.",
    "why": "No such file or directory.", "recovered": "back", "reasons": ["one.", "two"],
    "names": ["img/a", "img/b"], "lived": 0.04, "last": ["Failed to start.", "Exiting."],
    "paths": ["/mnt", "/srv"], "known": ["a", "b"], "found": ["a", "b"], "what": "CT 101",
    "cause": {"problem": "no-space", "details": {}},
}  # fmt: skip
SIZES = (
    "old", "new", "limit", "needed", "free", "most", "wanted", "used", "reserve", "whole",
    "snapshots", "replaced", "allowed",
)  # fmt: skip
OF_STAFF = (Problem.BAD_USAGE,)  # command lines


def sample(line: Problem | Fault) -> dict[str, object]:
    names = wording.fields(line.staff) | wording.fields(line.customers)
    numbers = {name: 5 << 20 for name in names if name in SIZES}
    why = {"why": ["One.", "Two."]} if "{why:clauses}" in line.staff else {}
    found = {"found": "link"} if "{found}" in line.staff else {}
    return {name: SAMPLES.get(name, name) for name in names} | numbers | why | found


def told(line: Problem | Fault) -> tuple[str, str]:
    details = sample(line)
    if isinstance(line, Fault):
        details["fault"] = line.value
    word = problems.problem_of(line)
    return for_staff(word, details), for_customers(word, details)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{type(line).__name__}-{line}")
def test_every_word_has_a_whole_sentence_for_staff_and_for_customers(line: Problem | Fault) -> None:
    for said in told(line):
        assert re.match(r"[A-Z]", said), said
        assert re.search(r"[^.]\.$", said), said
        assert "?" not in said
        assert "the own " not in said.lower()


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{type(line).__name__}-{line}")
def test_customers_read_nothing_that_is_the_staffs(line: Problem | Fault) -> None:
    if isinstance(line, Problem | Doubts | Hindrances) or line in BadTrees:
        _, said = told(line)
        assert not NOT_FOR_CUSTOMERS.search(said), said


def test_words_are_kebab_case_and_stand_once() -> None:
    for table in TABLES.values():
        words = [line.value for line in table]
        assert len(set(words)) == len(words)
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word) and len(word) <= 32
                   for word in words)  # fmt: skip
    assert FAULTS.keys() == {problem for problem in Problem if not problem.staff}


# Who raises what

DOUBTERS = {"broken", "cant_tell", "doubt"}  # give a verdict's reasons, as others raise


class Site:
    def __init__(self, path: Path, call: ast.Call) -> None:
        self.call = call
        self.where = f"{path.relative_to(ROOT.parent)}:{call.lineno}"
        words = [each for each in call.args if is_word(each)]
        self.word = words[0] if words else None

    @property
    def line(self) -> Problem | Fault:
        assert isinstance(self.word, ast.Attribute)
        assert isinstance(self.word.value, ast.Name)
        found: Problem | Fault = getattr(TABLES[self.word.value.id], self.word.attr)
        return found

    @property
    def given(self) -> set[str]:
        return {each.arg for each in self.call.keywords if each.arg}

    @property
    def spread(self) -> bool:
        """Whether some of them come from a mapping: nobody can tell which."""
        return any(each.arg is None for each in self.call.keywords)


def is_word(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in TABLES
    )


def classes() -> set[str]:
    """Names of the errors, wherever they are defined."""
    found, more = {"OperationError"}, True
    trees = [ast.parse(path.read_text()) for path in ROOT.rglob("*.py")]
    while more:
        more = False
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name not in found:
                    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                    if bases & found:
                        found.add(node.name)
                        more = True
    return found


def sites() -> Iterator[Site]:
    names = classes() | DOUBTERS
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in names or (name == "__init__" and any(map(is_word, node.args))):
                    yield Site(path, node)


SITES = list(sites())


def test_there_are_as_many_sites_as_one_would_think() -> None:
    assert len([site for site in SITES if site.word]) > 200


@pytest.mark.parametrize("site", [s for s in SITES if s.word], ids=lambda site: site.where)
def test_who_raises_gives_the_details_that_the_sentences_need(site: Site) -> None:
    needed = wording.fields(site.line.staff) | wording.fields(site.line.customers)
    assert site.spread or needed <= site.given


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.where)
def test_nobody_raises_prose(site: Site) -> None:
    for each in site.call.args[:1]:
        assert not isinstance(each, ast.JoinedStr | ast.BinOp)
        assert not (isinstance(each, ast.Constant) and isinstance(each.value, str))


def test_every_word_is_raised_somewhere() -> None:
    """Or refused with, which is written down in tables.

    Obstacles import no table, so checkpoint/test_obstacles.py looks after theirs.
    """
    text = "\n".join(path.read_text() for path in ROOT.rglob("*.py"))
    for name, table in TABLES.items():
        for line in table if table is not Hindrances else ():
            assert line in FAULTS or f"{name}.{line.name}" in text, f"{name}.{line.name}"


# What an error is


def test_an_error_is_a_word_with_details_and_reads_as_its_sentence() -> None:
    error = ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="start", exit=3)
    assert (error.problem, error.code, error.exit) == ("script-failed", errors.Code.SCRIPT, 3)
    assert f"{error}" == "Its start script ended with exit code 3."
    assert error.for_customers == "Its start script failed."
    assert json.loads(json.dumps(error.record)) == {
        "problem": "script-failed",
        "details": {"scope": "own", "action": "start", "exit": 3},
        "error": f"{error}",
    }


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ScriptFailed(Problem.SCRIPT_FAILED, scope="global", action="mount", exit=-9),
         "The node's global mount script was ended by signal 9 (SIGKILL)."),
        (ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="reinstall", exit=1),
         "Its vps.reinstall script ended with exit code 1."),
        (CommandFailed(["btrfs"], 1, "ERROR: no such device."),
         "The command btrfs ended with exit code 1: ERROR: no such device."),
        (CommandFailed(["btrfs"], 1), "The command btrfs ended with exit code 1."),
        (TimedOut(["criu"], 5.0), "The command criu was ended at its time limit of 5 s."),
        (NoSpace(path=Path("/vz")), "The disk that holds the containers is full."),
        (Cancelled(), "It was cancelled."),
        (BadValue(BadValues.NOT_A_SIZE, word="x").at("--ram"),
         "--ram: This is not a size, such as 512M or 10G: 'x'."),
        (ScriptFailed(Problem.SCRIPT_NOT_RUN, scope="own", action="stop",
                      cause=OperationError(BadTrees.MISSING, path="/bin/sh").cause),
         "Its stop script could not be run. The file /bin/sh in the container is missing."),
    ],
)  # fmt: skip
def test_sentences_are_ordinary_english(error: OperationError, said: str) -> None:
    assert f"{error}" == said


def test_reasons_are_words_of_their_own_and_older_ones_plain_text() -> None:
    found = OperationError(Doubts.FILES_MISSING, names=["img/a"]).cause
    cause = OperationError(Problem.SNAPSHOTS_OFF, why="no CRIU").cause
    unknown = {"problem": "not-yet-invented", "details": {}, "error": "It is odd."}
    error = OperationError(Problem.NOT_RESTORABLE, reasons=[found, cause, unknown, "it is old"])
    assert f"{error}" == (
        "The snapshot can't be restored: missing: img/a; process snapshots are off on this node: "
        "no CRIU; it is odd; it is old."
    )


def test_details_of_another_version_are_no_reason_to_fail() -> None:
    assert for_staff("script-failed", {}) == "? ? ?."
    assert for_staff("not-yet-invented", {}) == for_customers("not-yet-invented", {}) == ""
    assert for_staff("bad-value", {"fault": "not-yet-invented"}) == ""


def test_a_refusal_has_the_code_of_its_word_unless_there_is_nothing_left_to_do() -> None:
    assert Refusal(Problem.STILL_MOUNTED).code == errors.Code.MOUNTED
    assert Refusal(Problem.ALREADY_MOUNTED, errors.Code.OK).code == 0
    assert Refusal(Problem.STILL_MOUNTED).error.problem == Problem.STILL_MOUNTED
