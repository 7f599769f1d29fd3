"""Attacks on the audit: whoever has the database changes, removes and makes up what was done."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils.timezone import now

from containers.commands import pctl
from containers.models import AuditEvent, Container
from containers.node import ledger
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.worker.ledger import compare, take_in
from tests.web.typist import Typist, typist

pytestmark = pytest.mark.django_db(transaction=True)
TEN = 10


@pytest.fixture
def conf(node_conf: NodeConf) -> NodeConf:
    """A node that has seen ten rows."""
    node_conf.state.mkdir(exist_ok=True)
    take_in(node_conf)  # from here on
    for number in range(1, TEN + 1):
        deed(f"deed {number}")
    assert take_in(node_conf) == TEN
    assert words(node_conf) == []
    return node_conf


def deed(what: str, **fields: object) -> AuditEvent:
    return AuditEvent.objects.create(what=what, name="alice", via="browser", **fields)


def row(number: int) -> AuditEvent:
    return AuditEvent.objects.get(what=f"deed {number}")


def words(conf: NodeConf) -> list[tuple[str, int]]:
    return [(finding.word, finding.number) for finding in compare(conf)]


def book(conf: NodeConf) -> Path:
    return conf.state / "ledger" / "audit"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("what", "nothing at all"),
        ("name", "bob"),
        ("at", "2020-01-01T00:00:00Z"),
        ("ctid", 7),
        ("address", "192.0.2.1"),
        ("via", "pctl"),
        ("details", {"reason": "it was asked for"}),
    ],
)
def test_a_row_is_changed(conf: NodeConf, field: str, value: object) -> None:
    which = row(4).pk
    AuditEvent.objects.filter(pk=which).update(**{field: value})
    assert words(conf) == [("changed", which)]


@pytest.mark.parametrize("number", [1, 5, TEN])
def test_a_row_is_removed(conf: NodeConf, number: int) -> None:
    which = row(number).pk
    row(number).delete()
    assert words(conf) == [("missing", which)]


def test_the_last_rows_are_removed_and_others_written_instead(conf: NodeConf) -> None:
    gone = sorted(AuditEvent.objects.order_by("-pk")[:3].values_list("pk", flat=True))
    AuditEvent.objects.filter(pk__in=gone).delete()
    with connection.cursor() as cursor:  # the numbers begin where they did
        cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s",
                       [gone[0] - 1, AuditEvent._meta.db_table])  # fmt: skip
    for number in gone:
        assert deed("an honest day's work").pk == number
    take_in(conf)
    assert words(conf) == [("changed", number) for number in gone]


def test_a_row_is_put_between(conf: NodeConf) -> None:
    which = row(5).pk
    row(5).delete()
    deed("put there", pk=which)
    assert words(conf) == [("changed", which)]
    highest = row(TEN).pk
    deed("beyond", pk=highest + 5)
    take_in(conf)
    later = (now() + timedelta(days=1)).isoformat()
    head = ledger.head(conf)
    head.gaps = [ledger.Gap(g.first, g.last, "2026-01-01T00:00:00+00:00") for g in head.gaps]
    head.write(conf.state / "ledger" / "head")
    deed("too late to have been under way", pk=highest + 2, at=later)
    take_in(conf)
    assert words(conf) == [("changed", which), ("inserted", highest + 2)]


def test_a_row_says_that_it_is_old(conf: NodeConf) -> None:
    which = deed("long ago", at=now() - timedelta(hours=1)).pk
    take_in(conf)
    assert words(conf) == [("backdated", which)]


def test_a_row_far_beyond_takes_the_ids_of_honest_ones_along(conf: NodeConf) -> None:
    far = deed("far away", pk=2**40).pk
    take_in(conf)
    honest = row(TEN).pk + 1
    deed("honest", pk=honest)
    take_in(conf)
    assert words(conf) == []
    assert {line["row"]["id"] for line in ledger.lines(conf) if line} >= {far, honest}
    assert take_in(conf) == 0


def test_a_transaction_that_ends_late_counts_as_inserted(conf: NodeConf) -> None:
    first = row(TEN).pk + 1
    deed("the later one was faster", pk=first + 1)
    take_in(conf)
    deed("began first", pk=first)
    assert take_in(conf) == 1
    assert words(conf) == []


def test_a_container_that_is_gone_counts_as_a_change(conf: NodeConf, ct101: Container) -> None:
    AuditEvent.record("start CT 101", by=ct101.owner, via="browser", ctid=101)
    take_in(conf)
    ct101.delete()
    assert words(conf) == []
    AuditEvent.objects.filter(ctid=101).update(by=None)
    assert words(conf) == []


def test_a_line_of_the_ledger_is_changed(conf: NodeConf) -> None:
    lines = book(conf).read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace("deed 4", "deed 0")
    book(conf).write_text("".join(lines))
    assert ("broken", 4) in words(conf)


def test_a_line_is_changed_and_all_after_it_bound_anew(conf: NodeConf) -> None:
    """By root, who forgot the head."""
    last, text = ledger.START, b""
    for said in ledger.lines(conf):
        assert said
        said["row"]["what"] = said["row"]["what"].replace("deed 4", "deed 0")
        last = said["chain"] = ledger.chain(last, said)
        text += ledger.canonical(said) + b"\n"
    book(conf).write_bytes(text)
    assert ("broken", TEN) in words(conf)


def test_the_end_of_the_ledger_is_cut_off(conf: NodeConf) -> None:
    lines = book(conf).read_text().splitlines(keepends=True)
    book(conf).write_text("".join(lines[:-2]))
    assert ("cut", TEN - 2) in words(conf)
    with pytest.raises(OperationError, match="is missing"):
        take_in(conf)


def test_a_crash_before_the_head_was_written_loses_nothing(conf: NodeConf) -> None:
    before = (conf.state / "ledger" / "head").read_text()
    deed("seen")
    take_in(conf)
    (conf.state / "ledger" / "head").write_text(before)
    with book(conf).open("a") as file:
        file.write('{"n": 12, "half')
    deed("seen next")
    assert take_in(conf) == 1
    assert words(conf) == []
    assert ledger.head(conf).count == TEN + 2


def test_what_was_there_before_the_ledger_is_in_it(node_conf: NodeConf) -> None:
    node_conf.state.mkdir(exist_ok=True)
    for number in range(3):
        deed(f"before {number}", at=now() - timedelta(days=number))
    assert take_in(node_conf) == 3
    assert words(node_conf) == []
    AuditEvent.objects.all().delete()
    assert [word for word, _ in words(node_conf)] == ["missing"] * 3


# With pctl


@pytest.fixture
def pctl_on(conf: NodeConf, settings: object, capfd: pytest.CaptureFixture[str]) -> Typist:
    settings.NODE = conf  # type: ignore[attr-defined]
    settings.WEB = conf.state  # type: ignore[attr-defined]
    return typist(pctl.main, capfd)


def test_verify_says_what_is_wrong_and_ends_with_3(conf: NodeConf, pctl_on: Typist) -> None:
    code, head, said = pctl_on("audit verify")
    assert (code, said) == (0, "The audit is as this node has seen it.\n")
    assert pctl_on(f"audit verify --head {head.strip()}")[0] == 0
    AuditEvent.objects.filter(what="deed 2").update(what="no\x1b[2Jthing")
    row(3).delete()
    code, _, said = pctl_on("audit verify")
    assert code == 3
    assert "was changed: what was 'deed 2'" in said
    assert "is missing" in said
    assert "\x1b" not in said


def test_a_whole_ledger_made_anew_differs_from_a_head_that_was_noted(
    conf: NodeConf, pctl_on: Typist
) -> None:
    head = pctl_on("audit verify")[1].strip()
    AuditEvent.objects.filter(what="deed 2").update(what="nothing")
    shutil.rmtree(conf.state / "ledger")
    take_in(conf)
    assert pctl_on("audit verify")[0] == 0
    code, _, said = pctl_on(f"audit verify --head {head}")
    assert (code, "not the one that was noted" in said) == (3, True)
    assert pctl_on("audit verify --head nonsense")[0] == 21


def test_export_gives_lines_that_others_can_check(conf: NodeConf, pctl_on: Typist) -> None:
    code, out, _ = pctl_on("audit export")
    lines = [json.loads(line) for line in out.splitlines()]
    last = ledger.START
    for line in lines:
        assert ledger.chain(last, line) == line["chain"]
        last = line["chain"]
    assert (code, len(lines), lines[0]["row"]["what"]) == (0, TEN, "deed 1")
    middle = lines[4]["row"]["at"]
    since = pctl_on(f"audit export --since {middle}")[1].splitlines()
    until = pctl_on(f"audit export --until {middle}")[1].splitlines()
    assert (len(since), len(until)) == (TEN - 4, 4)
    assert pctl_on("audit export --since yesterday")[0] == 21
    assert pctl_on("audit export --since 2999-01-01")[1] == ""
