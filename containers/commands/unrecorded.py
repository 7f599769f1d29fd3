"""The containers of this node, stopped without the database: it is gone before them.

Their scripts run as they lie on the node; nothing of it is recorded.
"""

import base64
import shutil
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from containers.commands.output import Output
from containers.node import actions, observed, veconf
from containers.node.actions import Scope
from containers.node.errors import Code, OperationError
from containers.node.layout import Layout
from containers.node.script_files import Written, hash_of
from containers.node.shutdown import Shutdown
from containers.node.spool import Spool
from containers.node.states import State
from containers.node.steps import running
from containers.node.storage import pool
from containers.node.zygote import Zygote

FIRST = 10**12  # beyond the numbers that a database gives to operations
LOOK = 0.1  # seconds


def stop(habits: Shutdown, output: Output) -> int:
    """0 when all have stopped; 33 when one was killed."""
    conf = settings.NODE
    found = [int(path.name) for path in sorted((conf.run / "runc").glob("[0-9]*"))]
    left = {ctid: Spool(conf.spool / f"{FIRST + ctid}") for ctid in found if up(ctid)}
    killed = False
    zygote = Zygote.start(conf)
    try:
        for ctid, spool in left.items():
            shutil.rmtree(spool.path, ignore_errors=True)
            spool.write_request(request(ctid))
            zygote.run(FIRST + ctid)
        deadline = time.monotonic() + habits.limit
        while left and time.monotonic() < deadline:
            time.sleep(LOOK)
            for ctid in [ctid for ctid, spool in left.items() if ended(spool)]:
                code = left.pop(ctid).read_events()[0][-1]["code"]
                if code and up(ctid):
                    killed = kill(ctid, f"its stop ended with {code}", output)
                else:
                    output.complain(f"CT {ctid} is stopped.")
                shutil.rmtree(conf.spool / f"{FIRST + ctid}", ignore_errors=True)
        for ctid in left:
            killed = kill(ctid, f"it had not ended within {habits.limit} s", output)
    finally:
        zygote.close()
    return Code.STOP if killed else Code.OK


def request(ctid: int) -> dict[str, Any]:
    """As a worker makes them, but of what lies on the node."""
    conf = settings.NODE
    ve_conf = veconf.read(Layout(conf, ctid).ve_conf)
    return {
        "v": 1,
        "op": FIRST + ctid,
        "fence": 1,
        "plan": "stop",
        "profile": "documented",
        "runtime": settings.RUNTIME,
        "storage": pool.driver(conf).name,
        "ct": {
            "ctid": ctid,
            "state": "unknown",
            "hostname": ve_conf.get("HOSTNAME", ""),
            "ips": ve_conf.get("IP_ADDRESS", "").split(),
        },
        "scripts": list(scripts_of(Layout(conf, ctid))),
        "params": {},
    }


def scripts_of(paths: Layout) -> Iterator[dict[str, Any]]:
    """Those that the panel has written, as they lie there; what others wrote is run in any case."""
    written = Written(paths.node.state / "written" / f"{paths.ctid}.json")
    for action in actions.ALL:
        path = paths.script(Scope.OWN, action)
        if Scope.OWN in action.scopes and (found := hash_of(path)) == written.get(path) and found:
            yield {
                "scope": Scope.OWN,
                "action": action.name,
                "version": None,
                "sha256": found,
                "body": base64.b64encode(path.read_bytes()).decode(),
            }


def up(ctid: int) -> bool:
    state = observed.state_of(Layout(settings.NODE, ctid))
    return state in (State.RUNNING, State.PAUSED)


def ended(spool: Spool) -> bool:
    events, _ = spool.read_events()
    return bool(events) and events[-1]["ev"] == "end"


def kill(ctid: int, why: str, output: Output) -> bool:
    try:
        if init := observed.init_of(Layout(settings.NODE, ctid)):
            running.kill(init)
        output.complain(f"CT {ctid} was killed: {why}.")
    except OperationError as error:
        output.complain(f"CT {ctid} is running still: {error}")
    return True
