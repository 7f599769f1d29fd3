"""Somebody prints without end: the operation ends, and nothing keeps more than its limit."""

from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db.models import Sum
from django.db.models.functions import Length
from django.test import Client

from containers.models import Node, Operation
from containers.node.bound import MIB, Bound, Cut
from containers.node.processes.executor import Executor
from containers.node.spool import Nudge, Spool, Writer
from containers.node.states import Progress
from containers.worker import Worker
from tests.web.scribe import Scribe, settle
from tests.web.sockets import Browser
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)
PRINTED = 200 * MIB
FIRST, LAST = b"the first line\n", b"the last line\n"
FLOOD = f"echo the first line; yes | head -c {PRINTED}; echo the last line"
BLOCK = 64 * 1024  # bytes, a piece that is on its way or what a file system rounds up to
END: dict[str, Any] = {"progress": "succeeded", "code": 0, "error": "", "state": None, "lost": 0}


@pytest.fixture
def flooded(worker: Worker, scribe: Scribe, operation: Operation) -> Operation:
    """A start of CT 101 that has printed 200 MiB, on a node which keeps 1 MiB of a log."""
    Node.objects.update(log_limit=1)
    worker.node.refresh_from_db()
    settle(worker)
    spool = scribe.writer(operation).spool
    writer = Writer(spool, Nudge(scribe.conf.doorbell, f"{operation.pk}"), bound=spool.bound())
    printing = Thread(target=Executor(writer.write).run, args=(["sh", "-c", FLOOD],))
    printing.start()
    most = 0
    while printing.is_alive():
        settle(worker)
        most = max(most, spool.log.stat().st_blocks * 512, kept(operation))
    printing.join()
    assert most <= MIB + BLOCK
    writer.event("end", **END, off=writer.off)
    writer.close()
    settle(worker)
    operation.refresh_from_db()
    return operation


def kept(operation: Operation) -> int:
    """Bytes of its log that are in rows."""
    return int(operation.chunks.aggregate(size=Sum(Length("data")))["size"] or 0)


def test_the_operation_ends_and_its_rows_hold_no_more_than_the_limit(flooded: Operation) -> None:
    assert flooded.state == Progress.SUCCEEDED
    assert flooded.log_len == len(FIRST) + PRINTED + len(LAST)
    assert kept(flooded) <= MIB
    assert flooded.log_len - kept(flooded) == flooded.cut_end - flooded.cut_begin
    chunks = list(flooded.chunks.all())
    assert bytes(chunks[0].data).startswith(FIRST)
    assert bytes(chunks[-1].data).endswith(LAST)


def test_page_download_and_pctl_show_the_beginning_a_mark_and_the_end(
    flooded: Operation, as_bob: Client, run: Typist
) -> None:
    mark = flooded.cut.mark
    assert b"199.1 MiB of output were left out here" in mark
    address = f"/operations/{flooded.pk}/"
    assert "199.1 MiB of output between" in as_bob.get(address).content.decode()
    download = as_bob.get(f"{address}log/download?raw")
    printed = run(f"operation log {flooded.pk}")[1].encode()
    for text in (b"".join(download), printed):
        assert text.startswith(FIRST)
        assert text.endswith(LAST)
        assert text.count(mark) == 1
        assert len(text) == kept(flooded) + len(mark)


def test_offsets_stay_right_over_the_cut(flooded: Operation, as_bob: Client) -> None:
    offset, text = 0, b""
    while offset < flooded.log_len:
        answer = as_bob.get(f"/operations/{flooded.pk}/log?from={offset}&max=100000")
        text += answer.content
        assert answer["Log-Cut"] == f"{flooded.cut_begin}-{flooded.cut_end}"
        assert int(answer["Log-Next"]) > offset
        offset = int(answer["Log-Next"])
    assert text.count(flooded.cut.mark) == 1
    assert len(text) == kept(flooded) + len(flooded.cut.mark)
    behind = as_bob.get(f"/operations/{flooded.pk}/log?from={flooded.cut_end}").content
    assert b"left out" not in behind
    assert len(behind) == flooded.log_len - flooded.cut_end


async def test_a_browser_is_told_what_is_left_out(
    browse: Callable[..., Awaitable[Browser]],
    worker: Worker,
    scribe: Scribe,
    as_bob: Client,
    operation: Operation,
) -> None:
    await sync_to_async(settle)(worker)
    await sync_to_async(cut_short)(operation)
    for start in (0, 40):  # in the head, and in what is cut away
        browser = await browse(as_bob, f"/ws/operations/{operation.pk}/log?from={start}")
        await browser.read("eof")
        cut = next(said for said in browser.said if said["type"] == "cut")
        assert (cut["from"], cut["to"]) == (max(10, start), 90)
        assert "left out" in cut["mark"]
        assert browser.shown[90] == b"e" * 10


def cut_short(operation: Operation) -> None:
    operation.chunks.create(offset=0, data=b"b" * 10)
    operation.chunks.create(offset=90, data=b"e" * 10)
    rows = Operation.objects.filter(pk=operation.pk)
    rows.update(log_len=100, cut_begin=10, cut_end=90, state="succeeded")


def test_a_reader_behind_the_cut_jumps_and_reads_no_hole(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    """Nothing is shipped while it prints, so all of the middle is gone when that begins."""
    settle(worker)
    spool = scribe.writer(operation).spool
    writer = Writer(spool, Nudge(scribe.conf.doorbell, f"{operation.pk}"), bound=Bound(MIB))
    spool.write_request({**spool.read_request(), "log_limit": 1})
    Executor(writer.write).run(["sh", "-c", f"yes | head -c {5 * MIB}"])
    writer.event("end", **END, off=writer.off)
    writer.close()
    settle(worker)
    operation.refresh_from_db()
    assert operation.log_len == 5 * MIB
    assert operation.cut.end == spool_cut_end(operation)
    assert set(b"".join(bytes(chunk.data) for chunk in operation.chunks.all())) == set(b"y\n")


def spool_cut_end(operation: Operation) -> int:
    return int(operation.chunks.filter(offset__gte=operation.cut_begin).earliest("offset").offset)


def test_a_runner_that_recovers_goes_on_with_the_same_cut(scribe: Scribe, tmp_path: object) -> None:
    spool = Spool(scribe.conf.spool / "1")
    spool.write_request({"log_limit": 1})
    bell = Nudge(scribe.conf.doorbell, "1")
    first = Writer(spool, bell, bound=spool.bound())
    first.write(b"x" * 3 * MIB)
    first.close()
    second = Writer(spool, bell, bound=spool.bound())
    assert (second.off, second.cut) == (3 * MIB, first.cut)
    second.write(b"y" * MIB)
    second.close()
    assert spool.cut() == Cut(MIB // 2, second.cut.end)
    assert second.cut.end > first.cut.end
    assert spool.log.stat().st_blocks * 512 <= MIB + BLOCK
