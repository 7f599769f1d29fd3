"""A database that is locked, full or away: pages say so, forms keep what was typed, all goes on."""

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError
from django.test import Client, RequestFactory
from websockets.exceptions import ConnectionClosed

from containers import outage
from containers.outage import Outage
from containers.views.failures import database_out
from tests.web.house import House, collected, wait_until
from tests.web.test_postgres import Postgres, postgres  # noqa: F401 (a fixture)
from tests.web.test_postgres import house as on_postgres  # noqa: F401 (a fixture)

SETTINGS = "/containers/101/settings/"
TYPED = 'a <line> & "more" of it'


class Visitor:
    """Somebody with a browser of few abilities."""

    def __init__(self, house: House, port: int) -> None:
        self.port, self.cookies = port, [house.cookie]

    def ask(self, path: str, **fields: str) -> tuple[int, str, HTTPMessage]:
        headers = {"Cookie": "; ".join(self.cookies), "Origin": f"http://127.0.0.1:{self.port}"}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request("POST" if fields else "GET", path, urlencode(fields), headers)
            answer = line.getresponse()
            page = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            if "csrf" in cookie:
                self.cookies.append(cookie.partition(";")[0])
        return answer.status, page, answer.headers

    def health(self) -> tuple[int, dict[str, Any]]:
        status, page, _ = self.ask("/health")
        return status, json.loads(page)

    def form(self) -> dict[str, str]:
        """What is in the form of the settings, as a browser would send it."""
        return fields_of(self.ask(SETTINGS)[1])


def fields_of(page: str) -> dict[str, str]:
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    for tag in re.findall(r"<input [^>]*>", page):
        named = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if named.get("type", "text") in ("text", "number", "hidden") and "name" in named:
            found[named["name"]] = named.get("value", "")
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.S
    ):
        found[name] = text
    return {name: unescape(value) for name, value in found.items()}


def path_of(house: House) -> Path:
    return house.conf.state / "web" / "panel.sqlite3"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the files that pages name are collected."""
    return collected(tmp_path_factory.mktemp("static"))


@pytest.fixture
def sqlite(tmp_path: Path, static: str) -> Iterator[House]:
    """On a disk of its own, of 8 MiB."""
    state = tmp_path / "state"
    (state / "web").mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", f"{state / 'web'}"], check=True
    )
    house = None
    try:
        (state / "web" / "secret.key").write_text("only for tests")
        house = House(state, bare=True)
        (state / "web" / "static").mkdir()
        house.conf.run.mkdir(parents=True)
        house.env |= {"PANEL_REQUEST_SECONDS": "3", "PANEL_STATIC_ROOT": static}
        house.furnish()
        yield house
    finally:
        if house:
            house.close()
        subprocess.run(["umount", "--lazy", f"{state / 'web'}"], check=True)
        print((state / "processes.log").read_text())


@pytest.mark.real
@pytest.mark.redis
@pytest.mark.timeout(180)
def test_sqlite_locked_or_full_costs_a_form_nothing_of_what_was_typed(sqlite: House) -> None:
    _, port = sqlite.web()
    alice = Visitor(sqlite, port)
    assert alice.health() == (200, {"ok": True})
    form = alice.form() | {"hostname": "web2", "description": TYPED}
    with locked(path_of(sqlite)):
        status, page, headers = alice.ask(SETTINGS, **form)
        assert (status, headers["Retry-After"]) == (503, "5"), page
        assert "database is locked by another program" in page
        wait_until(lambda: alice.health() == (503, Outage.LOCKED.said))
    kept = fields_of(page)
    assert (kept["hostname"], kept["description"]) == ("web2", TYPED)
    filling = path_of(sqlite).with_name("filling")
    fill(filling)
    status, page, _ = alice.ask(SETTINGS, **kept)
    assert (status, "The disk of the panel&#x27;s database is full." in page) == (503, True)
    wait_until(lambda: alice.health() == (503, Outage.FULL.said))
    pctl = sqlite.pctl("start", "101")
    assert (pctl.returncode, "Traceback" in pctl.stderr) == (3, False)
    assert "The panel's database can't be used (database or disk is full)." in pctl.stderr
    node, log = sqlite.node(), sqlite.conf.state / "processes.log"
    wait_until(lambda: "the database is full, trying again" in log.read_text())
    filling.unlink()
    wait_until(lambda: alice.health() == (200, {"ok": True}))
    assert alice.ask(SETTINGS, **fields_of(page))[0] == 302
    asked = sqlite.ask("from containers.models import Operation\n"
                       "settings = Operation.objects.get().params['settings']\n"
                       "print(settings['hostname'], settings['description'])\n")  # fmt: skip
    assert asked == f"web2 {TYPED}\n"
    wait_until(lambda: "succeeded" in sqlite.pctl("operation", "list").stdout)
    assert node.poll() is None
    assert "Traceback" not in log.read_text()


def fill(path: Path) -> None:
    """Leave not a byte on its disk."""
    for size in (1 << 16, 1 << 12, 1):
        with path.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.timeout(240)
async def test_everything_goes_on_when_postgresql_is_back(
    on_postgres: House,  # noqa: F811
    postgres: Postgres,  # noqa: F811
    static: str,
) -> None:
    house = on_postgres
    house.env["PANEL_STATIC_ROOT"] = static
    _, port = house.web()
    alice = Visitor(house, port)
    form = alice.form() | {"description": TYPED}
    pk = house.request("start")
    async with house.socket(port, pk) as socket:
        assert json.loads(await socket.recv())["type"] == "hello"
        postgres.stop()
        with pytest.raises(ConnectionClosed) as closed:
            async with house.socket(port, pk) as other:
                await other.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4503
        for path in ("/containers/", "/containers/101/", "/login/", f"/operations/{pk}/"):
            status, page, headers = alice.ask(path)
            assert (path, status, headers["Retry-After"]) == (path, 503, "5")
            assert '<meta http-equiv="refresh" content="5">' in page
            assert "database can&#x27;t be reached" in page
        assert alice.health() == (
            503, {"ok": False, "reason": "away", "error": "The panel's database can't be reached."},
        )  # fmt: skip
        status, page, _ = alice.ask(SETTINGS, **form)
        assert (status, fields_of(page)["description"]) == (503, TYPED)
        node = house.start([sys.executable, "manage.py", "runnode"])
        log = house.conf.state / "processes.log"
        await asyncio.to_thread(wait_until, lambda: "Trying again in 2 s" in log.read_text())
        await asyncio.to_thread(postgres.start)
        assert house.finished(pk)["state"] == "succeeded"
        while not isinstance(said := await socket.recv(), bytes):
            assert json.loads(said)["type"] != "eof", said
    assert alice.health() == (200, {"ok": True})
    assert alice.ask(SETTINGS, **fields_of(page))[0] == 302
    assert node.poll() is None
    assert "Traceback" not in log.read_text()


def test_secrets_are_not_sent_back(rf: RequestFactory) -> None:
    sent = {"username": "alice", "password": "alice's own", "otp_code": "123456", "key": ["a", "b"]}
    page = database_out(rf.post("/login/?next=/nodes/", sent), Outage.LOCKED).content.decode()
    assert "alice&#x27;s own" not in page
    assert "123456" not in page
    assert 'type="password" autocomplete="off" name="password"' in page
    assert re.findall(r'name="key" id="[^"]*" value="(.)"', page) == ["a", "b"]
    assert 'action="/login/?next=/nodes/"' in page
    assert 'http-equiv="refresh"' not in page


def test_a_long_text_comes_back_as_it_was(rf: RequestFactory) -> None:
    script = "\n#!/bin/sh\necho '</textarea>'\n"
    page = database_out(rf.post("/", {"body": script}), Outage.FULL).content.decode()
    assert fields_of(page) == {"body": script}


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OperationalError("no answer"), Outage.AWAY),
        (IntegrityError("it is there already"), None),
        (DatabaseError("what is that"), None),
        (ValueError("something else"), None),
        (None, None),
    ],
)
def test_only_what_the_database_itself_lacks_is_an_outage(
    error: Exception | None, found: Outage | None
) -> None:
    assert outage.of(error) is found


@pytest.mark.parametrize(
    ("statement", "found"), [("SELECT * FROM nowhere", Outage.EMPTY), ("SELECT", None)]
)
def test_sqlite_names_its_errors(statement: str, found: Outage | None) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.execute(statement)
        error = OperationalError("as Django wraps it")
        error.__cause__ = raised.value
        assert outage.of(error) is found


def test_what_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("this is a file of text, and long enough to be looked into" * 99)
    with closing(sqlite3.connect(tmp_path / "file")) as database:
        with pytest.raises(sqlite3.DatabaseError) as raised:
            database.execute("SELECT * FROM nowhere")
        error = DatabaseError("as Django wraps it")
        error.__cause__ = raised.value
        assert outage.of(error) is Outage.DAMAGED


def test_the_database_is_looked_at_once_a_second_however_often_it_is_asked(
    client: Client, db: None, django_assert_max_num_queries: Any
) -> None:
    assert client.get("/health").json() == {"ok": True}
    with django_assert_max_num_queries(4):
        assert [client.get("/health").status_code for _ in range(20)] == [200] * 20
