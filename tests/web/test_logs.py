"""Logs as pages and files."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from containers.models import Container, Operation
from containers.node.bound import Cut
from containers.views.operations.matches import MOST, Matches

COLOURED = b"\x1b[1;34m==>\x1b[0m \x1b[31mred\x1b[0m <b>\n"
SEEN = "==> red <b>\n"


@pytest.fixture
def operation(ct101: Container, bob: User) -> Operation:
    return ct101.request("start", by=bob)


def say(operation: Operation, *pieces: bytes) -> None:
    for data in pieces:
        operation.chunks.create(offset=operation.log_len, data=data)
        operation.set(log_len=operation.log_len + len(data))


def in_pre(answer: Any) -> str:
    page = answer.content.decode()
    return str(page.partition('<pre class="log-text"')[2].partition(">")[2].partition("</pre>")[0])


def streamed(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_plain_text_has_no_escape_codes_wherever_it_is_read(
    operation: Operation, as_bob: Client
) -> None:
    say(operation, COLOURED[:5], COLOURED[5:])
    of = [operation.pk]
    assert as_bob.get(reverse("log", args=of)).content.decode() == SEEN
    assert streamed(as_bob.get(reverse("download", args=of))).decode() == SEEN
    for place in ("log_text", "operation"):
        assert in_pre(as_bob.get(reverse(place, args=of))) == "==&gt; red &lt;b&gt;\n"


def test_what_was_written_can_be_had_byte_for_byte(operation: Operation, as_bob: Client) -> None:
    say(operation, COLOURED)
    of = [operation.pk]
    assert as_bob.get(f"{reverse('log', args=of)}?from=0").content == COLOURED
    answer = as_bob.get(f"{reverse('download', args=of)}?raw")
    assert streamed(answer) == COLOURED
    name = f'attachment; filename="operation-{operation.pk}-start-101-raw.log"'
    assert answer["Content-Disposition"] == name


def test_a_log_is_downloaded_while_it_grows(operation: Operation, as_bob: Client) -> None:
    say(operation, b"so far")
    answer = as_bob.get(reverse("download", args=[operation.pk]))
    assert streamed(answer) == b"so far"
    name = f'attachment; filename="operation-{operation.pk}-start-101.log"'
    assert answer["Content-Disposition"] == name


def test_the_end_of_a_long_log_begins_with_a_whole_line(
    operation: Operation, as_bob: Client
) -> None:
    say(operation, *[b"\x1b[1;34mline\x1b[0m %d\n" % n for n in range(6000)])
    shown = in_pre(as_bob.get(operation.get_absolute_url())).splitlines()
    assert len(shown) < 6000
    assert all(re.fullmatch(r"line \d+", line) for line in shown)


def test_what_is_not_kept_is_said_in_plain_text_too(operation: Operation, as_bob: Client) -> None:
    operation.chunks.create(offset=0, data=b"begin\n")
    operation.chunks.create(offset=4102, data=b"end\n")
    operation.set(log_len=4106, cut_begin=6, cut_end=4102)
    assert operation.cut == Cut(6, 4102)
    said = (
        "begin\n\n[ 4 KiB of output were left out here: the log had reached its size limit ]\nend\n"
    )
    assert streamed(as_bob.get(reverse("download", args=[operation.pk]))).decode() == said
    assert in_pre(as_bob.get(reverse("log_text", args=[operation.pk]))) == said


def test_all_matches_are_marked_counted_and_gone_through_without_javascript(
    operation: Operation, as_bob: Client
) -> None:
    say(operation, b"an Error\nno problem\nerror: <error>\n")
    page = reverse("log_text", args=[operation.pk])
    shown = as_bob.get(f"{page}?q=eRRor").content.decode()
    assert "1 of 3" in shown
    assert re.findall("<mark[^>]*>([^<]*)</mark>", shown) == ["Error", "error", "error"]
    assert 'an <mark id="match">Error</mark>' in shown
    links = re.findall(r'<a href="([^"#]+)#match" data-match="(\w+)"', shown)
    ways = {way: link.replace("&amp;", "&") for link, way in links}
    second = as_bob.get(page + ways["next"]).content.decode()
    assert "2 of 3" in second
    assert '<mark id="match">error</mark>: &lt;' in second
    assert "3 of 3" in as_bob.get(page + ways["previous"]).content.decode()
    assert "No match" in as_bob.get(f"{page}?q=nowhere&at=7").content.decode()


def test_more_matches_than_can_be_marked_are_counted() -> None:
    found = Matches.of("a" * (MOST + 1), "a", 9999)
    assert f"{found}" == "2,000 of 2,001, the first 2,000 are marked"
    assert max(number for _, number in found.pieces) == MOST
