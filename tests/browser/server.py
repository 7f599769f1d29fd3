"""The panel's web process, as make run has it, on a database that tests write to."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ViewportSize

from containers.node.conf import load

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SHOWN_WITHIN = 60.0  # seconds, on a machine that others keep busy
DESKTOP = {"width": 1360, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


@dataclass
class Panel:
    """runweb on the test's database; it can be ended and started again on the same port."""

    state: Path
    redis: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def instance(self) -> str:
        return load({"PANEL_STATE_DIR": f"{self.state}"}).instance

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *words: str) -> list[str]:
        return [sys.executable, f"{CHECKOUT / 'manage.py'}", *words]

    def start(self) -> None:
        with (self.state / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.manage("runweb"), env=self.environ, cwd=CHECKOUT, stdout=log, stderr=log
            )
        wait_for(self.answers, lambda: f"the panel does not answer: {self.said()}")

    def answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.said()
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(SHOWN_WITHIN)
            self.process = None

    def said(self) -> str:
        path = self.state / "web.log"
        return path.read_text()[-2000:] if path.exists() else ""


def wait_for(happened: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    end = time.monotonic() + SHOWN_WITHIN
    while not happened():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)
