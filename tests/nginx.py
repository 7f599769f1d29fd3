"""The nginx of deploy/ before a server of a test's: free ports, a certificate of its own."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SITE = Path(__file__).parent.parent / "deploy" / "nginx.conf"
NAME = "panel.example.org"
READY_WITHIN = 10.0  # seconds


@dataclass(frozen=True)
class Nginx:
    folder: Path
    upstream: str  # host:port
    https: int
    http: int
    host: str = NAME

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.https}"

    @property
    def certificate(self) -> Path:
        return self.folder / "panel.pem"

    @property
    def argv(self) -> list[str]:
        return ["nginx", "-p", f"{self.folder}", "-c", f"{self.folder / 'nginx.conf'}"]


@contextlib.contextmanager
def before(upstream: str, folder: Path, host: str = NAME) -> Iterator[Nginx]:
    """Answers at .url, for HOST, until left."""
    nginx = write(upstream, folder, host)
    process = subprocess.Popen([*nginx.argv, "-g", "daemon off;"])
    try:
        wait_for(nginx.https, process)
        yield nginx
    finally:
        process.terminate()
        process.wait(READY_WITHIN)


def write(upstream: str, folder: Path, host: str = NAME) -> Nginx:
    """Makes the files; only names, ports, and the certificate's place differ from deploy/'s."""
    https, http = free_ports(2)
    nginx = Nginx(folder, upstream, https, http, host)
    make_certificate(nginx)
    site = SITE.read_text()
    for theirs, ours in {
        "server 127.0.0.1:8000;": f"server {upstream};",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl;\n": "",
        "/etc/ssl/certs/panel.pem": f"{nginx.certificate}",
        "/etc/ssl/private/panel.key": f"{folder / 'panel.key'}",
        NAME: host,
    }.items():
        assert theirs in site, f"deploy/nginx.conf no longer has {theirs!r}"
        site = site.replace(theirs, ours)
    (folder / "nginx.conf").write_text(
        f"user root;\npid {folder}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\n"
        f"http {{\naccess_log off;\n"
        + "".join(
            f"{part}_temp_path {folder}/{part};\n"
            for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"{site}}}\n"
    )
    return nginx


def make_certificate(nginx: Nginx) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-subj", f"/CN={nginx.host}",
         "-addext", f"subjectAltName=DNS:{nginx.host}",
         "-keyout", f"{nginx.folder / 'panel.key'}", "-out", f"{nginx.certificate}"],
        check=True, capture_output=True,
    )  # fmt: skip


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [s.getsockname()[1] for s in sockets]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nginx does not answer on port {port}")
