"""A runner on a toy plan: what it writes down, how it says it ended, and how a cancel ends it."""

import os
import signal
from dataclasses import dataclass, field
from typing import Any

import pytest

from containers.node.ct import Ct
from containers.node.errors import Code, Locked, OperationError, Problem, Refused, ScriptFailed
from containers.node.journal import SpoolJournal
from containers.node.lock import locked
from containers.node.plan import Act, Plan, Refusal, Step
from containers.node.spool import Nudge, Writer
from containers.node.states import State
from tests.node.engine.rig import Rig, World, toy
from tests.node.engine.toy import failing, step, undone_by

SAID = "Its mount script ended with exit code 7."
REFUSES = failing(ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="mount", exit=7))


def cancelled_while(argv: str) -> Act:
    """A step that runs a command, and is cancelled as soon as that has begun."""
    return lambda ct: void(ct.run(["sh", "-c", f"kill -TERM {os.getpid()}; exec {argv}"]))


def void(code: int) -> None:
    """Of a command that ended well nobody asks with which code."""


def test_the_journal_tells_the_plan_and_each_step_of_it(rig: Rig) -> None:
    outcome = rig.operate(
        toy(step("a", undo=undone_by("undo-a"), leaves=State.MOUNTED),
            step("b", when=lambda ct: False), step("c"))
    )  # fmt: skip

    told = [(e["ev"], e.get("i"), e.get("step")) for e in outcome.events]
    assert told == [
        ("plan", None, None),
        ("began", 0, "a"), ("ended", 0, None), ("state", None, None),
        ("skipped", 1, "b"),
        ("began", 2, "c"), ("ended", 2, None),
        ("end", None, None),
    ]  # fmt: skip
    assert outcome.events[0]["steps"] == [
        {"step": key, "label": f"take the step {key}", "where": "node"} for key in "abc"
    ]
    assert [e["n"] for e in outcome.events] == [*range(8)]
    assert (outcome.end["progress"], outcome.end["code"]) == ("succeeded", 0)


def test_steps_of_an_undo_go_on_counting_behind_the_plan(rig: Rig) -> None:
    plan = toy(step("a", undo=undone_by("undo-a1", "undo-a2")), step("b", REFUSES), step("c"))

    outcome = rig.operate(plan)

    began = [(e["i"], e["step"], e["undo"]) for e in outcome.events if e["ev"] == "began"]
    assert began == [(0, "a", False), (1, "b", False), (3, "undo-a1", True), (4, "undo-a2", True)]


def test_a_failure_says_what_was_undone_and_how_the_container_is_now(rig: Rig) -> None:
    outcome = rig.operate(toy(step("a", undo=undone_by("undo-a")), step("b", REFUSES)))

    assert (outcome.end["progress"], outcome.end["code"]) == ("failed", Code.SCRIPT)
    end = outcome.end
    assert (end["problem"], end["details"]) == (
        Problem.SCRIPT_FAILED, {"scope": "own", "action": "mount", "exit": 7},
    )  # fmt: skip
    assert (end["error"], end["state"]) == (SAID, State.STOPPED)
    failed = next(e for e in outcome.events if e["ev"] == "ended" and e["error"])
    assert (failed["i"], failed["code"], failed["signal"], failed["ignored"]) == (1, 7, None, False)


def test_a_script_that_was_killed_is_noted_with_its_signal(rig: Rig) -> None:
    killed = failing(ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="mount", exit=-9))
    ended = rig.operate(toy(step("a", killed))).events[2]
    assert (ended["code"], ended["signal"]) == (None, 9)


def test_a_failure_that_was_passed_over_is_noted_as_that(rig: Rig) -> None:
    outcome = rig.operate(toy(step("a", REFUSES, ignore_failure=True), step("b")))

    ended = outcome.events[2]
    assert (ended["error"], ended["ignored"]) == ("Its mount script ended with exit code 7.", True)
    assert outcome.end["progress"] == "succeeded"
    assert "The operation continues without it." in outcome.log


IS_NOT = "The container is not mounted."
CUSTOM = Code.CUSTOM_REINSTALL
SAID_NO = "The system says: no."
NO_WAY = {State.STOPPED: Refusal(Problem.NOT_MOUNTED)}
NO_NEED = {State.STOPPED: Refusal(Problem.NOT_RUNNING, Code.OK)}


@pytest.mark.parametrize("own", [None, Code.REINSTALL], ids=["no code", "a code of its own"])
@pytest.mark.parametrize(
    ("error", "code", "with_its_own"),
    [
        (OperationError(Problem.SYSTEM_ERROR, why="no"), Code.SYSTEM, Code.REINSTALL),
        (OperationError(Problem.SYSTEM_ERROR, Code.MOUNT, why="no"), Code.MOUNT, Code.REINSTALL),
        (
            OperationError(Problem.SYSTEM_ERROR, Code.CUSTOM_REINSTALL, why="no"),
            Code.CUSTOM_REINSTALL,
            Code.CUSTOM_REINSTALL,
        ),
        (Refused(Problem.SYSTEM_ERROR, Code.DISABLED, why="no"), Code.DISABLED, Code.DISABLED),
        (Locked(Problem.SYSTEM_ERROR, Code.LOCKED, why="no"), Code.LOCKED, Code.LOCKED),
    ],
)
def test_a_plan_of_a_code_of_its_own_fails_with_that_but_for_refusals_and_128(
    rig: Rig, error: OperationError, code: Code, with_its_own: Code, own: Code | None
) -> None:
    end = rig.operate(toy(step("a", failing(error)), code=own)).end
    assert (end["code"], end["error"]) == (with_its_own if own else code, SAID_NO)


@pytest.mark.parametrize(
    ("plan", "code", "sentence"),
    [
        (Plan("Toy", entry=NO_WAY), Code.NOT_MOUNTED, IS_NOT),
        (
            Plan("Toy", entry=NO_WAY, code=Code.REINSTALL),
            Code.NOT_MOUNTED,
            "The container is not mounted.",
        ),
        (Plan("Toy", entry=NO_NEED, code=Code.REINSTALL), Code.OK, ""),
    ],
)
def test_a_plan_that_is_refused_ends_with_the_refusals_code(
    rig: Rig, plan: Plan, code: Code, sentence: str
) -> None:
    end = rig.operate(plan).end
    assert (end["code"], end["error"]) == (code, sentence)


def test_a_container_that_somebody_else_holds_is_left_alone(rig: Rig) -> None:
    rig.offer(toy(step("a")))
    with locked(rig.conf.vz / "lock" / "101.lck", "backup"):
        outcome = rig.run(rig.request())
    assert (outcome.steps, outcome.end["code"]) == ([], Code.LOCKED)
    assert "(backup)" in outcome.end["error"]


@pytest.mark.parametrize("fields", [{"exclusive": False}, {"on_container": False}])
def test_a_plan_that_changes_no_container_needs_no_lock_and_tells_no_state(
    rig: Rig, fields: dict[str, bool]
) -> None:
    rig.offer(toy(step("a"), **fields))
    with locked(rig.conf.vz / "lock" / "101.lck", "backup"):
        outcome = rig.run(rig.request())
    assert (outcome.steps, outcome.end["progress"]) == (["a"], "succeeded")
    assert outcome.end["state"] is None


def test_the_lock_is_free_again_before_anybody_hears_of_the_end(rig: Rig) -> None:
    rig.offer(toy(step("a")))
    spool = rig.request()
    rig.run(spool, events=3, before_the_next=True)  # all but the end
    with locked(rig.conf.vz / "lock" / "101.lck", "start"):
        assert spool.read_events()[0][-1]["ev"] == "ended"


def test_an_operation_that_is_over_is_not_run_again(rig: Rig) -> None:
    rig.offer(toy(step("a")))
    spool = rig.request()
    first = rig.run(spool)
    assert rig.run(spool).events == first.events
    assert rig.recover(spool).events == first.events


def test_a_cancel_ends_the_command_and_what_was_done_is_undone(rig: Rig) -> None:
    world = World()
    plan = toy(world.step("a"), step("b", cancelled_while("sleep 60")), world.step("c"))

    outcome = rig.operate(plan)

    assert (outcome.end["progress"], outcome.end["code"]) == ("cancelled", Code.SCRIPT)
    assert outcome.end["error"] == "It was cancelled."
    assert (outcome.steps, world.there) == (["a", "b"], [])


def test_a_cancel_is_not_passed_over_where_a_failure_is(rig: Rig) -> None:
    sleeping = step("b", cancelled_while("sleep 60"), ignore_failure=True)
    outcome = rig.operate(toy(step("a"), sleeping, step("c")))
    assert (outcome.steps, outcome.end["progress"]) == (["a", "b"], "cancelled")


def test_after_a_cancel_the_undo_runs_its_commands(rig: Rig) -> None:
    undo = step("undo-a", lambda ct: void(ct.run(["echo", "it is undone"])))
    outcome = rig.operate(toy(step("a", undo=[undo]), step("b", cancelled_while("sleep 60"))))
    assert "it is undone\n" in outcome.log
    assert outcome.undos == ["undo-a"]


def test_a_second_cancel_ends_the_undo_step_and_the_rest_remains(rig: Rig) -> None:
    world = World()
    stuck = step("undo-b", cancelled_while("sleep 60"))
    plan = toy(world.step("a"), world.step("b", undo=[stuck]),
               step("c", cancelled_while("sleep 60")))  # fmt: skip

    outcome = rig.operate(plan)

    assert (outcome.undos, world.there) == (["undo-b"], ["a", "b"])
    assert outcome.end["progress"] == "cancelled"
    assert "It was cancelled. The rest is left as it is." in outcome.log


def test_a_cancel_that_comes_while_no_command_runs_ends_the_next_one(rig: Rig) -> None:
    def cancel(ct: Ct) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    wait = step("c", lambda ct: void(ct.run(["sleep", "60"])))
    outcome = rig.operate(toy(step("a", cancel), step("b"), wait))
    assert (outcome.steps, outcome.end["progress"]) == (["a", "b", "c"], "cancelled")


def test_a_cancel_after_the_last_command_comes_too_late(rig: Rig) -> None:
    def cancel(ct: Ct) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    assert rig.operate(toy(step("a", cancel))).end["progress"] == "succeeded"


def test_once_the_runner_is_done_a_sigterm_means_what_it_meant_before(rig: Rig) -> None:
    before = signal.getsignal(signal.SIGTERM)
    rig.operate(toy(step("a")))
    assert signal.getsignal(signal.SIGTERM) is before


@dataclass
class Noting(Writer):
    """Notes of each event whether it had to be on the disk at once."""

    durable: list[bool] = field(default_factory=list)

    def event(self, ev: str, *, durable: bool = False, **fields: Any) -> None:
        self.durable.append(durable)
        super().event(ev, durable=durable, **fields)


@pytest.mark.parametrize(
    ("taken", "undoing", "durable"),
    [
        (step("a"), False, False),
        (step("a", leaves=State.MOUNTED, unbroken=True, ignore_failure=True), False, False),
        (step("a", undo=undone_by("undo-a")), False, True),
        (step("a", once=True), False, True),
        (step("a", commits=True), False, True),
        (step("undo-a"), True, True),
    ],
)
def test_what_a_recovery_has_to_know_is_on_the_disk_before_the_step_begins(
    rig: Rig, taken: Step, undoing: bool, durable: bool
) -> None:
    writer = Noting(rig.request(), Nudge(rig.conf.doorbell, "1"))
    SpoolJournal(writer).began(taken, undoing=undoing)
    writer.close()
    assert writer.durable == [durable]
