"""Which commands the runtime drivers say: whole command lines."""

import shlex
from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.layout import Layout
from containers.node.runtimes import Argv
from containers.node.runtimes.runc import Driver

CONF = NodeConf("alpha", Path("/state"), Path("/vz"), Path("/etc/vz"), Path("/r"))
CT = Layout(CONF, 101)
RUN = f"/r/{CONF.instance}"
RUNC = f"runc --root {RUN}/runc"
BUNDLE = f"{RUN}/bundle/101"
CRIU = {"PATH": "/opt/criu:/bin", "CRIU_CONFIG_FILE": "/w/options"}
DUMP = "--tcp-established --file-locks --manage-cgroups-mode full --image-path /s/img"
RESTORE = (
    "--tcp-established --file-locks --shell-job --manage-cgroups-mode full --image-path /s/img"
)
MADE = f"--bundle {BUNDLE} --console-socket {RUN}/console-101.sock --pid-file {BUNDLE}/init.pid"
IMAGES, WORK = Path("/s/img"), Path("/w")
runc = Driver()


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (runc.create(CT), f"{RUNC} create --no-new-keyring {MADE} 101"),
        (runc.start(CT), f"{RUNC} start 101"),
        (
            runc.exec(CT, Path("/p.json"), Path("/pid"), "freezer:script"),
            f"{RUNC} exec --detach --cgroup freezer:script --process /p.json --pid-file /pid 101",
        ),
        (
            runc.enter(CT, ["ls", "-l", "a b"], terminal=False),
            f"{RUNC} exec 101 ls -l 'a b'",
        ),
        (runc.enter(CT, ["sh"], terminal=True), f"{RUNC} exec --tty 101 sh"),
        (
            runc.enter_detached(CT, ["sh"], Path("/pid")),
            f"{RUNC} exec --detach --pid-file /pid 101 sh",
        ),
        (runc.delete(CT), f"{RUNC} delete 101"),
        (runc.delete(CT, force=True), f"{RUNC} delete --force 101"),
        (runc.update(CT, Path("/r.json")), f"{RUNC} update --resources /r.json 101"),
        (runc.pause(CT), f"{RUNC} pause 101"),
        (runc.resume(CT), f"{RUNC} resume 101"),
        (
            runc.checkpoint(CT, CRIU, IMAGES, WORK, leave_running=False),
            f"env PATH=/opt/criu:/bin CRIU_CONFIG_FILE=/w/options {RUNC} checkpoint {DUMP}"
            " --work-path /w 101",
        ),
        (
            runc.checkpoint(CT, CRIU, IMAGES, WORK, leave_running=True),
            f"env PATH=/opt/criu:/bin CRIU_CONFIG_FILE=/w/options {RUNC} checkpoint"
            f" --leave-running {DUMP} --work-path /w 101",
        ),
        (
            runc.restore(CT, CRIU, IMAGES, WORK),
            f"env PATH=/opt/criu:/bin CRIU_CONFIG_FILE=/w/options {RUNC} restore --detach"
            f" {RESTORE} --work-path /w {MADE} 101",
        ),
        (runc.version(), "runc --version"),
    ],
)
def test_runc_is_told(argv: Argv, line: str) -> None:
    assert shlex.join(argv) == line
