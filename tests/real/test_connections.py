"""Which containers have connections that a dump must not lose."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from containers.node.checkpoint.connections import connected

SERVER = """
import socket, subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
def said(word):
    print(word, flush=True)
    input()
said("quiet")
server = socket.create_server(("127.0.0.1", 0))
said("listening")
client = socket.create_connection(server.getsockname())
said("waiting to be accepted")
accepted, _ = server.accept()
said("connected")
client.close()
accepted.close()
said("closed")
"""
ANSWERS = {
    "quiet": False,
    "listening": False,
    "waiting to be accepted": True,
    "connected": True,
    "closed": False,
}


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """In a network of its own, as a container's init is."""
    argv = ["unshare", "--net", sys.executable, "-c", SERVER]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_a_connection_counts_from_its_handshake_to_its_end(server: subprocess.Popen[str]) -> None:
    assert server.stdin
    assert server.stdout
    found = {}
    for word in ANSWERS:
        assert server.stdout.readline().strip() == word
        found[word] = connected(server.pid)
        server.stdin.write("\n")
        server.stdin.flush()
    assert found == ANSWERS
