"""What the manual tells hosters to type, done on real containers as it is printed there."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from containers.node import observed, veconf
from containers.node.conf import CHECKOUT
from containers.node.network import names
from containers.node.processes.run import call
from containers.node.states import State
from tests.real.rig import Rig


def recipe(page: str, words: str) -> str:
    """The block of a page of the manual that has these words in it."""
    blocks = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "docs" / page).read_text(), re.DOTALL)
    (found,) = [block for block in blocks if words in block]
    return str(found)


@pytest.fixture
def network_script(rig: Rig) -> Iterator[Path]:
    path = rig.conf.scripts / "vps.network"
    path.write_text(recipe("network.md", "SHAPE"))
    path.chmod(0o700)
    yield path
    path.unlink()


def shaped(rig: Rig, ctid: int) -> str:
    return call(["tc", "qdisc", "show", "dev", names.veth(rig.conf, ctid), "root"]).decode()


def test_what_containers_receive_is_shaped_whenever_they_have_a_new_interface(
    criu: str, rig: Rig, ctid: int, networked: IPv4Network, network_script: Path
) -> None:
    spec = {"ips": [f"{networked.network_address + ctid}"]}
    assert rig.operate("start", ctid, spec=spec).code == 0
    assert "qdisc tbf" in shaped(rig, ctid)
    assert "rate 8Mbit" in shaped(rig, ctid)
    assert veconf.read(rig.paths(ctid).ve_conf)["HOST_IFNAME"] == names.veth(rig.conf, ctid)

    with rig.paths(ctid).ve_conf.open("a") as conf:
        conf.write('SHAPE="20mbit"\n')
    for plan in ("suspend", "resume"):
        done = rig.operate(plan, ctid, spec=spec)
        assert done.code == 0, done.log
    assert "rate 20Mbit" in shaped(rig, ctid)
    assert rig.operate("restart", ctid, spec=spec).code == 0
    assert "rate 20Mbit" in shaped(rig, ctid)


def test_a_network_script_that_fails_keeps_the_container_from_starting(
    rig: Rig, ctid: int, networked: IPv4Network, network_script: Path
) -> None:
    network_script.write_text("#!/bin/sh\necho something; echo no $VEID on $HOST_IFNAME; exit 3\n")
    done = rig.operate("start", ctid, spec={"ips": [f"{networked.network_address + ctid}"]})
    assert (done.code, done.state, rig.state(ctid)) == (71, State.STOPPED, State.STOPPED)
    words = f"vps.network ended with exit code 3: no {ctid} on {names.veth(rig.conf, ctid)}"
    assert words in done.end["error"]


@pytest.mark.parametrize("first", [0, 700000])
def test_root_in_a_container_writes_to_a_folder_that_is_shared(
    rig: Rig, ctid: int, first: int
) -> None:
    folder = rig.conf.vz / f"share-{first}"
    folder.mkdir(0o755)
    (folder / "before").write_text("of the node\n")
    ids = f"--ids {first} " if first else ""
    if first:
        call(["chown", "-R", f"{first}:{first}", f"{folder}"])
    argv = shlex.join([sys.executable, "-P", "-m", "containers.node.share"])
    text = recipe("scripts.md", "\nctshare").replace("/srv/share", f"{ids}{folder}", 2)
    text = text.replace(f"# {ids}{folder}", "# the folder").replace(f"# {folder}", "# the folder")
    text = text.replace("\nctshare", f"\nPYTHONPATH={CHECKOUT} {argv}")
    rig.write(ctid, "mount", text)

    started = rig.operate("start", ctid)

    assert started.code == 0, started.log
    do = "cat before; id -u; echo mine >made; chown 33:33 made; ls -ln made; chmod 4755 made"
    said = rig.inside(ctid, "sh", "-c", f"cd /mnt/share; {do}")
    assert said.startswith("of the node\n0\n-rw-r--r--    1 33       33 ")
    made = (folder / "made").stat()
    assert (made.st_uid, made.st_gid) == (first + 33, first + 33)
    assert rig.operate("stop", ctid).code == 0
    assert not observed.mounted(rig.paths(ctid).root)
    assert (folder / "made").read_text() == "mine\n"


def test_a_share_follows_no_link_out_of_the_container(rig: Rig, ctid: int, tmp_path: Path) -> None:
    conf = veconf.read(rig.paths(ctid).ve_conf)
    root = tmp_path / "root"
    (root / "mnt").mkdir(parents=True)
    (root / "mnt/out").symlink_to("/..")
    file = tmp_path / "ve.conf"
    file.write_text(veconf.render({**conf, "VE_ROOT": f"{root}"}))
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-P", "-m", "containers.node.share",
         f"{rig.conf.vz}", "/mnt/out/inside"],
        env={"PYTHONPATH": f"{CHECKOUT}", "VE_CONFFILE": f"{file}"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (root / "inside").is_dir()
    assert not Path("/inside").exists()
