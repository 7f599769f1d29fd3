"""Make a template of a root file system's tarball, as OpenVZ's precreated templates are.

params: name; path: where the tarball lies on the node; clean, words of what is removed from it
(templates/remains.py).
"""

import time
from pathlib import Path

from containers.node.ct import Ct
from containers.node.errors import BadValue, BadValues
from containers.node.operations.build_template import BEGIN, PUBLISH
from containers.node.plan import Plan, Step
from containers.node.states import State
from containers.node.steps.cloning import build_of
from containers.node.steps.room import CHECK_POOL
from containers.node.templates import inspection, tarball

NOW_AND_THEN = 2.0  # seconds between two lines that say how far it is


def check(ct: Ct) -> None:
    path = Path(ct.params["path"])
    if path.is_dir():
        raise BadValue(BadValues.FILE_ODD, path=path)
    if not path.is_absolute() or not path.is_file():
        raise BadValue(BadValues.NO_FILE, path=path)


def unpack(ct: Ct) -> None:
    last = time.monotonic()

    def tick(files: int, taken: int) -> None:
        nonlocal last
        ct.executor.obey()
        if time.monotonic() - last > NOW_AND_THEN:
            last = time.monotonic()
            ct.say(f"{files} files, {taken >> 20} MiB")

    tarball.unpack(Path(ct.params["path"]), build_of(ct).fs, tick)
    inspection.check(build_of(ct).fs)


PLAN = Plan(
    "Import a template",
    entry={
        State.STOPPED: [
            Step("check-tarball", "check the tarball", do=check),
            CHECK_POOL,
            BEGIN,
            Step("unpack", "unpack the tarball", do=unpack),
            PUBLISH,
        ]
    },
    on_container=False,
    touches=("templates",),
)
