"""How long it takes what a script writes to reach a browser: write → frame at a websocket."""

import time
from statistics import median, quantiles

from bench.row import Row
from tests.real.panel import Panel

CTID = 102
SAMPLES = 300
LIMIT = 1.0  # seconds
HEADER = 9  # bytes of a frame: type, offset
# Each line says when it was written; sleep is a builtin of no shell, but nothing runs beside it.
SCRIPT = f"""#!/bin/bash
for ((i = 0; i < {SAMPLES}; i++)); do
    sleep 0.0$((RANDOM % 90 + 10))
    echo "written $EPOCHREALTIME"
done
"""


def measure(panel: Panel) -> list[Row]:
    from websockets.sync.client import connect
    from websockets.typing import Origin

    panel.pctl("create", CTID, "--ostemplate", "busybox")
    panel.save(CTID, "mount", SCRIPT)
    operation = panel.request("start", CTID)
    delays: list[float] = []
    text = b""
    address = f"ws://127.0.0.1:{panel.port}/ws/operations/{operation}/log?from=0"
    with connect(address, origin=Origin(panel.url), additional_headers=signed_in()) as socket:
        for frame in socket:
            arrived = time.time()
            if isinstance(frame, str):
                if '"eof"' in frame:
                    break
                continue
            *lines, text = (text + frame[HEADER:]).split(b"\n")
            delays += [arrived - float(at) for line in lines if (at := stamp(line))]
    panel.pctl("stop", CTID, "--fast")
    panel.pctl("destroy", CTID)
    assert len(delays) == SAMPLES, f"{len(delays)} lines of {SAMPLES} arrived"
    return rows(delays)


def stamp(line: bytes) -> bytes:
    """When it was written, in seconds; nothing when it isn't one of the script's."""
    before, _, at = line.partition(b"written ")
    return at if not before else b""


def signed_in() -> dict[str, str]:
    """The cookie of somebody of the staff."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    alice, _ = User.objects.get_or_create(username="alice", is_staff=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={client.cookies[name].value}"}


def rows(delays: list[float]) -> list[Row]:
    what = f"script write to websocket frame, {len(delays)} lines"
    return [
        Row(f"{what}: median", 1000 * median(delays), "ms"),
        Row(f"{what}: p99", 1000 * quantiles(delays, n=100)[98], "ms"),
        Row(f"{what}: longest", 1000 * max(delays), "ms", 1000 * LIMIT, strict=True),
    ]
