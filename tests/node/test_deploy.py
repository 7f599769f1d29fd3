import asyncio
import os
import re
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Origin

from containers.node import shutdown
from tests import nginx

CHECKOUT = Path(__file__).parent.parent.parent
DEPLOY = CHECKOUT / "deploy"
UNITS = [DEPLOY / "panel.target", *sorted(DEPLOY.glob("*.service"))]


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units as they would be for a panel that lies in this checkout."""
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/opt/panel", f"{CHECKOUT}"))
        copies.append(copy)
    return copies


def test_systemd_accepts_the_units(units: list[Path]) -> None:
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning", "SYSTEMD_LOG_TARGET": "console"},
    )
    assert (verified.returncode, ours(verified.stderr)) == (0, [])


def ours(said: str) -> list[str]:
    return [line for line in said.splitlines() if "panel" in line]


def test_systemd_would_refuse_a_unit_with_an_option_it_does_not_know(units: list[Path]) -> None:
    web = next(unit for unit in units if unit.name == "panel-web.service")
    web.write_text(web.read_text().replace("UMask=", "Umsk="))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"{web}"], capture_output=True, text=True
    )
    assert "Umsk" in verified.stderr


def test_the_node_stays_in_the_mounts_of_the_machine() -> None:
    node = (DEPLOY / "panel-node.service").read_text()
    options = re.findall(r"^(\w+)=", node, re.MULTILINE)
    namespaces = re.compile(
        r"Private|Protect|ReadOnly|ReadWrite|Inaccessible|ExecPaths|NoExec|Bind|TemporaryFile|"
        r"Root|Mount|Dynamic|(State|Cache|Logs|Runtime|Configuration)Directory"
    )
    assert [option for option in options if namespaces.match(option)] == []
    assert {"KillMode=process", "Delegate=yes"} <= set(node.splitlines())


def test_containers_stop_before_worker_network_database_and_file_systems_do() -> None:
    """systemd stops in the order opposite to that in which it starts: what is first stops last."""
    unit = (DEPLOY / "panel-containers.service").read_text()
    before = {
        name for line in re.findall(r"^After=(.*)$", unit, re.MULTILINE) for name in line.split()
    }
    assert before >= {
        "local-fs.target", "remote-fs.target", "network-online.target", "panel-node.service",
        "panel-redis.service", "postgresql.service",
    }  # fmt: skip
    assert re.findall(r"^RequiresMountsFor=(.*)$", unit, re.MULTILINE) == [
        "/vz /var/lib/panel /opt/panel"
    ]
    assert "Before=" not in unit


def test_a_restart_of_the_panel_leaves_the_unit_of_the_containers_alone() -> None:
    unit = (DEPLOY / "panel-containers.service").read_text()
    for word in ("PartOf", "BindsTo", "Requires", "Requisite"):
        assert f"\n{word}=" not in unit
    assert "panel-containers" not in (DEPLOY / "panel.target").read_text()
    lines = unit.splitlines()
    assert {"Type=oneshot", "RemainAfterExit=yes", "KillMode=process"} <= set(lines)
    # A failed start would leave the unit inactive, and then there is no stop.
    assert [line.startswith("ExecStart=-") for line in lines if "node start" in line] == [True]
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) >= shutdown.LONGEST + shutdown.KILLING


def test_web_and_redis_are_not_root() -> None:
    for name in ("panel-web", "panel-redis"):
        assert "User=panel" in (DEPLOY / f"{name}.service").read_text().splitlines()


def test_the_example_of_settings_reads_the_same_for_systemd_and_the_shell() -> None:
    example = (DEPLOY / "panel.env.example").read_text()
    settings = dict(
        line.lstrip("#").split("=", 1)
        for line in example.splitlines()
        if re.match(r"#?PANEL_\w+=", line)
    )
    for name, value in settings.items():
        sourced = subprocess.run(
            ["sh", "-c", f'{name}={value}\nprintf %s "${name}"'], capture_output=True, text=True
        )
        assert sourced.stdout == value


def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    site = nginx.write("127.0.0.1:8000", tmp_path)
    tried = subprocess.run([*site.argv, "-t"], capture_output=True, text=True)
    assert "test is successful" in tried.stderr
    assert "[emerg]" not in tried.stderr


async def test_a_websocket_passes_nginx_with_the_name_it_was_called_by(tmp_path: Path) -> None:
    async def tell(socket: ServerConnection) -> None:
        assert socket.request is not None
        headers = socket.request.headers
        for name in ("Host", "Origin", "X-Forwarded-Proto", "X-Forwarded-For"):
            await socket.send(headers.get(name, "none"))
        await socket.send(await socket.recv())

    async with serve(tell, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with nginx.before(f"127.0.0.1:{port}", tmp_path) as site:
            address = site.url.replace("https:", "wss:")
            trust = ssl.create_default_context(cafile=site.certificate)
            async with connect(
                f"{address}/ws/", ssl=trust, host="127.0.0.1", origin=Origin(site.url),
                additional_headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"},
            ) as socket:  # fmt: skip
                said = [await socket.recv() for _ in range(4)]
                await socket.send(b"\x00log\xff")
                assert await socket.recv() == b"\x00log\xff"
            assert said == [f"{site.host}:{site.https}", site.url, "https", "127.0.0.1"]


async def test_plain_http_is_sent_to_https(tmp_path: Path) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    def ask(port: int) -> tuple[int, str | None]:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/containers/?page=2")
        request.add_header("Host", nginx.NAME)
        try:
            urllib.request.build_opener(Stay).open(request)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Location"]
        return 200, None

    with nginx.before("127.0.0.1:9", tmp_path) as site:
        answer = await asyncio.to_thread(ask, site.http)
        assert answer == (301, f"https://{nginx.NAME}/containers/?page=2")
