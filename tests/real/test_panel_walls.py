"""A whole panel whose web process is somebody else's: rows by SQL, as the user panel can write."""

import hashlib
import json
import os
import pwd
import subprocess
from collections.abc import Iterator

import pytest

from containers.node import approvals, observed
from containers.node.actions import BY_NAME
from tests.real.panel import Panel, whole_panel

pytestmark = [pytest.mark.redis, pytest.mark.xdist_group("panel-walls"), pytest.mark.timeout(180)]
GOOD = '#!/bin/sh\necho "mounted for $VEID by $(basename "$0")"\n'
SCRIPT = """insert into containers_script (container_id, name, enabled)
    select id, ?, 1 from containers_container where ct_id = ?"""
VERSION = """insert into containers_scriptversion (script_id, number, body, sha256, created, reason)
    select id, ?, ?, ?, '2026-01-01', '' from containers_script where name = ?"""
START = """insert into containers_operation
    (node_id, container_id, ct_id, kind, exclusive, params, via, reason, state, fence, log_len,
     events_len, cut_begin, cut_end, requested, problem, details, error)
    select node_id, id, ct_id, 'start', 1, '{}', 'browser', '', 'queued', 0, 0, 0, 0, 0,
     '2026-01-01',
     '', '{}', '' from containers_container where ct_id = ?"""


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with whole_panel() as panel:
        with panel.conf.vz_conf.open("a") as file:
            file.write(f'{approvals.KEY}="yes"\n')
        panel.pctl("create", 101, "--ostemplate", "busybox")
        approvals.approve(panel.conf, 102, BY_NAME["mount"], b"", who="root")  # there is a log then
        yield panel


def insert(panel: Panel, name: str, body: str, number: int = 1) -> None:
    if number == 1:
        panel.write(SCRIPT, name, 101)
    text = body.encode()
    panel.write(VERSION, number, text, hashlib.sha256(text).hexdigest(), name)


def start(panel: Panel) -> tuple[str, str]:
    """By a row, with no pctl and no page: how it ended, and its log."""
    panel.write(START, 101)
    number = panel.last(101)
    return panel.until_over(number), panel.log(number).decode()


def test_rows_that_nobody_approved_run_as_root(panel: Panel) -> None:
    insert(panel, "mount", "#!/bin/sh\ntouch /tmp/never; echo run by root\n")
    ended, log = start(panel)
    assert ended == "failed"
    assert "run by root" not in log
    assert "Type pctl script approve 101 mount on the node" in log
    assert not observed.mounted(panel.path(101).root)

    panel.until(lambda: waiting(panel), "the panel to know what waits")
    assert "101" in panel.pctl("script", "approvals")
    insert(panel, "mount", GOOD, 2)
    assert "mounted for" in panel.pctl("script", "approve", 101, "mount", "--yes")
    ended, log = start(panel)
    assert (ended, "mounted for 101 by mount\n" in log) == ("succeeded", True)
    panel.pctl("stop", 101, "--fast")

    insert(panel, "mount", GOOD.replace("mounted", "mOunted"), 3)
    ended, log = start(panel)
    assert (ended, "mOunted" in log) == ("failed", False)
    panel.until(lambda: not waiting(panel) or waiting(panel)[0]["version"] == 3, "version 3")


def waiting(panel: Panel) -> list[dict[str, object]]:
    facts = json.loads(panel.rows("select facts from containers_node")[0][0])
    return list(facts.get("approval", ()))


def test_the_audit_is_rewritten_and_verify_finds_it(panel: Panel) -> None:
    panel.pctl("user", "create", "dora", "--staff")
    panel.pctl("user", "create", "bob")
    count = panel.rows("select count(*) from containers_auditevent")[0][0]
    book = panel.conf.state / "ledger" / "audit"
    panel.until(lambda: len(book.read_text().splitlines()) == count, "the node to see the rows")
    head = panel.pctl("audit", "verify").splitlines()[-1]
    assert head.startswith(f"{count}:")
    lines = [json.loads(line) for line in panel.pctl("audit", "export").splitlines()]
    assert "add the staff member dora" in [line["row"]["what"] for line in lines]
    (number,) = panel.rows("select id from containers_auditevent where what like '%member dora'")[0]
    panel.write("update containers_auditevent set what = 'sign out' where id = ?", number)
    assert f"Row {number} was changed" in panel.pctl("audit", "verify", code=3)
    panel.write("delete from containers_auditevent where id >= ?", number)
    assert f"Row {number} is missing" in panel.pctl("audit", "verify", "--head", head, code=3)


@pytest.mark.parametrize("what", ["ledger/audit", "ledger/head", "approved/log", "etc/vz.conf"])
def test_the_user_of_the_web_process_reaches_what_the_node_keeps(panel: Panel, what: str) -> None:
    user = pwd.getpwnam("panel")
    path = panel.conf.state / what
    assert path.exists()
    moving = ["mv", f"{path.parent}", "/tmp"]
    for argv in (["rm", "-f", f"{path}"], ["sh", "-c", f"echo x >>{path}"], moving):
        done = subprocess.run(argv, user=user.pw_uid, group=user.pw_gid, extra_groups=[],
                              capture_output=True, check=False)  # fmt: skip
        assert done.returncode != 0, argv
    if what != "etc/vz.conf":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_uid == os.getuid()
