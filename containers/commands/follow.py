"""Follow an operation to its end: its log as it grows, then one sentence and vzctl's exit code."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from containers.commands.database import away
from containers.commands.output import Output
from containers.commands.places import here
from containers.commands.work import Work
from containers.models import LogChunk, Operation, outcome, unanswered, way_out
from containers.node.bound import Cut
from containers.node.errors import Code, OperationError, Problem
from containers.node.states import Progress

TICK = 0.05  # seconds between two looks
DATABASE_AWAY = 60.0  # seconds a database may be away
QUESTION = "\nThe operation continues on the node. Cancel it? [y/N] "
CANCELLED = "It was cancelled"  # how the reason of a cancelled operation begins
LATE = 2.0  # seconds after which we say why nothing happens


def follow(request: Callable[[], Operation], output: Output) -> int:
    """Request an operation and see it to its end: its exit code. Nobody at work? Then we are.

    A Ctrl-C is heard from before the request on, else its operation would be left alone.
    """
    with listening() as signals:
        return attend(request(), output, signals)


def attend(operation: Operation, output: Output, signals: list[int]) -> int:
    with Work(operation.node, {operation.pk}) as work:
        offset, told = 0, False
        since, missing = time.monotonic(), None
        while True:
            offset = watch(operation, offset, output)
            if operation.done:
                break
            if work.failure:
                raise OperationError(Problem.WORK_STOPPED, why=work.failure) from work.failure
            if signals:
                interrupted(operation, output, signals.pop())
            if not told and time.monotonic() - since > LATE:
                told = True
                explain(operation, work, output)
            if (out := work.worker.outage) and out != missing:
                output.complain(f"{out.sentence} The work goes on once that is over.")
            missing = out
            work.wait(TICK)
    output.log_ended()
    return conclude(operation, output)


@contextlib.contextmanager
def listening() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are heard between two looks, lest they break something half done."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    before = {each: signal.signal(each, hear) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def watch(operation: Operation, offset: int, output: Output) -> int:
    """Read what is new; the state first, so that nothing said before it is missed."""
    deadline = time.monotonic() + DATABASE_AWAY
    while True:
        try:
            operation.refresh_from_db()
            for chunk in LogChunk.objects.filter(operation=operation, offset__gte=offset).order_by(
                "offset"
            ):
                if chunk.offset > offset:
                    output.log(Cut(offset, chunk.offset).mark)
                output.log(bytes(chunk.data))
                offset = chunk.offset + len(chunk.data)
            return offset
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                output.complain(f"{operation} continues on its node.")
                raise away(error) from error
            connection.close()
            time.sleep(10 * TICK)


def explain(operation: Operation, work: Work, output: Output) -> None:
    """Why it has not begun yet, if it hasn't."""
    if operation.state != Progress.QUEUED:
        return
    if operation.node.away and not here(operation.node):
        output.complain(
            f"Node {operation.node} hasn't reported for a while, so the operation waits."
        )
    elif operation.node.away and work.holder:
        output.complain(f"The operation waits, because {work.holder} is working on this node.")


def interrupted(operation: Operation, output: Output, number: int) -> None:
    """Cancel: on a terminal Ctrl-C asks first, and a second one leaves (KeyboardInterrupt)."""
    if operation.state == Progress.CANCELLING:
        output.complain(f"{operation} continues on its node.")
        raise KeyboardInterrupt
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if number == signal.SIGINT and terminal and not confirmed():
        return
    operation.cancel()
    output.complain("The operation is being cancelled.")


def confirmed() -> bool:
    print(QUESTION, end="", file=sys.stderr, flush=True)
    hear = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGINT, hear)


def conclude(operation: Operation, output: Output) -> int:
    code, ways = code_of(operation), ways_on(operation)
    if code or operation.error:
        output.complain(sentence(operation))
        if ways:
            output.complain(f"What can be done now: {'; '.join(ways)}")
    else:
        output.say(sentence(operation))
    if output.json:
        output.show({**described(operation), "ways_on": ways}, [])
    return code


def code_of(operation: Operation) -> int:
    if operation.code is not None:
        return operation.code
    return Code.OK if operation.state == Progress.SUCCEEDED else Code.SYSTEM


def sentence(operation: Operation) -> str:
    what = title(operation)
    if operation.state == Progress.SUCCEEDED:
        return f"{what}: done."
    said = outcome.sentences(operation, staff=True)
    if said and said[0].startswith(CANCELLED):  # which tells how it ended
        ending, *rest = said
        return " ".join([f"{what} {ending.removeprefix('It ')}", *rest])
    return " ".join([f"{what} {operation.state}.", *said])


def ways_on(operation: Operation) -> list[str]:
    """Commands that lead on from a failure, but for the same once more."""
    if operation.state not in unanswered.ENDED_BADLY:
        return []
    return [
        way.command
        for way in way_out.of(operation)
        if way.command and (way.params or way.kind is not operation.of_kind)
    ]


def title(operation: Operation) -> str:
    if operation.ctid:
        return f"{operation.label} of CT {operation.ctid}"
    name = operation.params.get("name")
    return f"{operation.label} ({name})" if name else f"{operation.label} on {operation.node}"


def described(operation: Operation) -> dict[str, Any]:
    """What --json says of an operation."""
    return {
        "id": operation.pk,
        "kind": operation.kind,
        "node": f"{operation.node}",
        "ctid": operation.ctid,
        "resource": operation.resource,
        "snapshot": operation.params.get("snapshot"),
        "safety": operation.params.get("safety"),
        "state": operation.state,
        "code": operation.code,
        "error": operation.why,
        "problem": operation.problem or None,
        "details": operation.details,
        "via": operation.via,
        "by": operation.by.get_username() if operation.by else None,
        "reason": operation.reason,
        "requested": operation.requested,
        "started": operation.started,
        "finished": operation.finished,
        "container_state": operation.container.state if operation.container else None,
    }
