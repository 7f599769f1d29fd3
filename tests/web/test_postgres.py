"""The same on PostgreSQL, which may also go away for a while."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from containers.node.spool import Nudge, Spool, Writer
from tests.web.house import House, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.timeout(180)]
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class User(TypedDict, total=False):
    user: int
    group: int


class Postgres:
    """A server on a socket only, run by the user postgres when the tests are run by root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = PROGRAMS[-1]
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "--pgdata", f"{folder}/data", "--username", "panel", "--auth", "trust",
                 "--no-sync")  # fmt: skip
        self.start()
        self.run("createdb", "--host", f"{folder}", "--username", "panel", "panel")

    def as_user(self) -> User:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid} if self.user else {}

    def run(self, program: str, *args: str) -> None:
        subprocess.run([f"{self.programs}/{program}", *args], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, **self.as_user())  # fmt: skip

    def start(self) -> None:
        argv = [f"{self.programs}/postgres", "-D", f"{self.folder}/data", "-k", f"{self.folder}",
                "-c", "listen_addresses=", "-c", "fsync=off"]  # fmt: skip
        self.process = subprocess.Popen(argv, cwd=self.folder, stderr=subprocess.DEVNULL,
                                        **self.as_user())  # fmt: skip
        wait_until(self.answers)

    def answers(self) -> bool:
        argv = [f"{self.programs}/pg_isready", "--host", f"{self.folder}", "--quiet"]
        return subprocess.run(argv, check=False).returncode == 0

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast: sessions are ended
        self.process.wait(20)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    if not PROGRAMS:
        pytest.skip("there is no PostgreSQL server")
    folder = Path(f"/tmp/panel-pg-{os.getpid()}")  # a socket's path must be short
    folder.mkdir(0o700)
    server = None
    try:
        server = Postgres(folder)
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def house(tmp_path: Path, postgres: Postgres) -> Iterator[House]:
    house = House(tmp_path / "state")
    house.env["PANEL_DATABASE_URL"] = f"postgres://panel@/panel?host={postgres.folder}"
    try:
        house.furnish()
        yield house
    finally:
        house.close()
        print((tmp_path / "state" / "processes.log").read_text())


def test_a_start_goes_from_row_to_runner_to_row(house: House) -> None:
    house.node()
    row = house.finished(house.request("start"))
    assert row["state"] == "succeeded", row["error"]
    assert "==> mount its file system" in row["log"]


def test_a_runner_does_not_notice_that_the_database_is_away(
    house: House, postgres: Postgres
) -> None:
    pk = house.request("start")
    house.ask(f"from containers.models import Operation\n"
              f"Operation.objects.filter(pk={pk}).update(state='running', fence=1)")  # fmt: skip
    spool = Spool(house.conf.spool / f"{pk}")
    spool.write_request({})
    with spool.hold():  # we are the runner
        writer = Writer(spool, Nudge(house.conf.doorbell, f"{pk}"))
        node = house.node()
        writer.write(b"before, ")
        wait_until(lambda: house.row(pk)["log"] == "before, ")
        postgres.stop()
        for _ in range(30):
            writer.write(b"meanwhile, ")
        said = house.conf.state / "processes.log"
        wait_until(lambda: "the database is away" in said.read_text())
        postgres.start()
        writer.write(b"after")
        writer.event("end", progress="succeeded", code=0, error="", state="running", off=writer.off)
        writer.close()
    row = house.finished(pk)
    assert row["log"] == "before, " + "meanwhile, " * 30 + "after"
    assert row["state"] == "succeeded"
    assert node.poll() is None
