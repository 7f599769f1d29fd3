"""What an action script finds where it runs, and what becomes of what it does."""

import time
from pathlib import Path

import pytest

from containers.node import observed
from containers.node.states import State
from containers.node.veconf import read
from tests.real.rig import SLEEP, Rig, sleepers

FRAGMENT_OF_004 = """#!/bin/bash
#
# This script sources Container configuration files in the same
# order as pctl does
# if one of these files does not exist then something is
# really broken
[ -f /etc/sysconfig/vz ] || exit 1
[ -f $VE_CONFFILE ] || exit 1
# source both files. Note the order, it is important
. /etc/vz/vz.conf
. $VE_CONFFILE
echo "root is $VE_ROOT, private is $VE_PRIVATE"
"""
FRAGMENT_OF_002 = """#!/bin/bash
# This script source VPS configuration files in the same
# order as vzctl does
# if one of these files does not exist then something is
# really broken

[ -f /etc/sysconfig/vz ] || exit 1
[ -f $VE_CONFFILE ] || exit 1
# source both files. Note the order, it is important
. /etc/sysconfig/vz
. $VE_CONFFILE
echo "root is $VE_ROOT, private is $VE_PRIVATE"
"""


def test_a_host_script_has_vzctls_environment_and_no_more(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "mount", "#!/bin/sh\nenv -u PWD -u SHLVL -u _ | sort\nreadlink /proc/$$/fd/0\n")

    log = rig.operate("mount", ctid).log

    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert (
        f"HOME=/\nPATH={path}\nTERM=linux\nVEID={ctid}\n"
        f"VE_CONFFILE={rig.paths(ctid).conf_link}\n/dev/null\n"
    ) in log


def test_a_container_script_runs_in_the_container_before_its_init(rig: Rig, ctid: int) -> None:
    rig.write(
        ctid,
        "start",
        "echo host=$(hostname) pid1=$(cat /proc/1/comm) uid=$(id -u)\n"
        "tr '\\0' '\\n' < /proc/$$/environ | sort\necho to stderr >&2\n",
    )

    log = rig.operate("start", ctid, spec={"hostname": "web.example"}).log

    assert "host=web.example pid1=runc:[2:INIT] uid=0\n" in log
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert f"HOME=/\nPATH={path}\nTERM=linux\nVEID={ctid}\nto stderr\n" in log


def test_what_scripts_make_can_be_read_by_others(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "mount", "#!/bin/sh\numask\n")
    rig.write(ctid, "start", "echo in it: $(umask)\n")

    log = rig.operate("start", ctid).log

    assert "\n0022\n" in log
    assert "in it: 0022\n" in log


def test_the_stop_script_runs_in_the_running_container(rig: Rig, ctid: int) -> None:
    rig.operate("start", ctid)
    rig.write(ctid, "stop", "cat /proc/1/comm\n")

    assert "\ninit\n" in rig.operate("stop", ctid).log


@pytest.mark.parametrize("fragment", [FRAGMENT_OF_002, FRAGMENT_OF_004])
def test_the_documents_fragments_run_as_they_are_printed(
    rig: Rig, ctid: int, fragment: str, vz_conf_in_place: None
) -> None:
    rig.write(ctid, "mount", fragment)

    outcome = rig.operate("mount", ctid)

    paths = rig.paths(ctid)
    assert outcome.code == 0, outcome.log
    assert f"root is {paths.root}, private is {paths.private}\n" in outcome.log


def test_the_last_exit_code_of_a_container_script_counts_and_an_empty_one_is_fine(
    rig: Rig, ctid: int
) -> None:
    rig.write(ctid, "start", "false\n")
    assert rig.operate("start", ctid).code == 79
    rig.write(ctid, "start", "")
    assert rig.operate("start", ctid).code == 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo no shebang\n", "could not be started: Exec format error"),
        ("", "could not be started: Exec format error"),
        ("#!/no/such/interpreter\n", "could not be started: No such file or directory"),
    ],
)
def test_a_host_script_that_cannot_be_run_fails_with_a_reason(
    rig: Rig, ctid: int, body: str, why: str
) -> None:
    rig.write(ctid, "mount", body)

    outcome = rig.operate("start", ctid)

    assert (outcome.code, outcome.state) == (79, State.STOPPED)
    assert f"Its mount script {why}." in outcome.end["error"]


def test_a_container_without_a_shell_cannot_run_its_start_script(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "start", "true\n")
    (rig.paths(ctid).fs / "bin/sh").unlink()

    outcome = rig.operate("start", ctid)

    assert (outcome.code, outcome.state) == (79, State.STOPPED)
    assert "The container has no shell" in outcome.end["error"]


@pytest.mark.parametrize("name", ["mount", "start"])
def test_a_script_is_ended_at_its_time_limit_with_all_it_started(
    rig: Rig, ctid: int, name: str
) -> None:
    rig.write(
        ctid,
        name,
        f"#!/bin/sh\n(setsid {SLEEP} & echo $! >/tmp/pid) ; {SLEEP}\n",
    )
    before = set(sleepers())

    outcome = rig.operate("start", ctid, timeout=0.5)

    assert (outcome.code, outcome.state) == (79, State.STOPPED), outcome.log
    assert "was ended at its time limit of 0.5 s" in outcome.end["error"]
    assert set(sleepers()) <= before


def test_a_stop_script_over_its_time_limit_leaves_the_container_running(
    rig: Rig, ctid: int
) -> None:
    rig.operate("start", ctid)
    before = set(sleepers())
    rig.write(ctid, "stop", f"{SLEEP} &\n{SLEEP}\n")

    outcome = rig.operate("stop", ctid, timeout=0.5)

    assert (outcome.code, rig.state(ctid)) == (79, State.RUNNING)
    assert set(sleepers()) <= before


def test_what_a_successful_start_script_leaves_running_stays_with_the_container(
    rig: Rig, ctid: int
) -> None:
    before = set(sleepers())
    rig.write(ctid, "start", f"{SLEEP} &\n")

    began = time.monotonic()
    assert rig.operate("start", ctid).code == 0

    assert time.monotonic() - began < 5
    left = set(sleepers()) - before
    assert len(left) == 1
    init = rig.init(ctid)
    parent = int(Path(f"/proc/{left.pop()}/stat").read_text().rsplit(")", 1)[1].split()[1])
    assert parent == init.pid


def test_a_bind_mount_of_the_mount_script_is_in_the_container_and_gone_afterwards(
    rig: Rig, ctid: int, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "shared").write_text("from the node\n")
    paths = rig.paths(ctid)
    script = (
        "#!/bin/sh\n. $VE_CONFFILE\nmkdir -p $VE_ROOT/mnt/x\n"
        f"mount --bind {tmp_path} $VE_ROOT/mnt/x\n"
    )
    rig.write(ctid, "mount", script)
    rig.write(ctid, "umount", "#!/bin/sh\n. $VE_CONFFILE\numount $VE_ROOT/mnt/x\n")
    rig.write(ctid, "start", "cat /mnt/x/shared\n")

    started = rig.operate("start", ctid)
    assert started.code == 0, started.log
    assert "from the node" in started.log

    stopped = rig.operate("stop", ctid)
    assert stopped.code == 0, stopped.log
    assert not observed.submounts(paths.root)
    assert (tmp_path / "shared").exists()


def test_a_mount_left_behind_is_detached_with_a_warning_that_names_it(rig: Rig, ctid: int) -> None:
    rig.write(
        ctid,
        "mount",
        "#!/bin/sh\n. $VE_CONFFILE\nmkdir -p $VE_ROOT/mnt/left\n"
        "mount -t tmpfs none $VE_ROOT/mnt/left\n",
    )
    rig.write(ctid, "start", "exit 1\n")

    outcome = rig.operate("start", ctid)

    assert (outcome.code, outcome.state) == (79, State.STOPPED)
    assert "detached now: /mnt/left" in outcome.log
    assert not observed.submounts(rig.paths(ctid).root)


def test_output_is_handed_on_as_it_is_written(rig: Rig, ctid: int, tmp_path: Path) -> None:
    rig.write(
        ctid, "mount", f"#!/bin/sh\necho first\nwhile [ ! -e {tmp_path}/go ]; do sleep .05; done\n"
    )

    number = rig.begin("mount", ctid)
    rig.wait_for(lambda: b"first\n" in log_of(rig, number), "the first line")
    assert not rig.ended(number)
    (tmp_path / "go").touch()

    assert rig.finish(number).code == 0


def test_output_is_kept_byte_for_byte(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "mount", "#!/bin/sh\nprintf 'a\\r\\nb\\0\\377\\n'\nseq 200000\n")

    number = rig.begin("mount", ctid)
    rig.finish(number)

    log = log_of(rig, number)
    assert b"a\r\nb\0\xff\n" in log
    assert b"".join(b"%d\n" % n for n in range(1, 200001)) in log


def test_a_value_with_shell_in_it_means_itself_when_the_file_is_sourced(
    rig: Rig, ctid: int, tmp_path: Path
) -> None:
    touch = f"touch {tmp_path}/owned"
    evil = f'it\'s "x"; {touch}; `{touch}` $({touch}) \\ $HOME #'
    rig.write(ctid, "mount", '#!/bin/sh\n. $VE_CONFFILE\nprintf "<%s>" "$DESCRIPTION"\n')

    outcome = rig.operate("mount", ctid, spec={"description": evil})

    assert f"<{evil}>" in outcome.log
    assert read(rig.paths(ctid).conf_link)["DESCRIPTION"] == evil
    assert not (tmp_path / "owned").exists()


def test_a_value_with_a_line_break_is_refused_and_nothing_happens(rig: Rig, ctid: int) -> None:
    outcome = rig.operate("mount", ctid, spec={"description": "a\nTOUCH=1"})

    assert (outcome.code, outcome.state) == (21, State.STOPPED)


def test_a_script_the_panel_did_not_write_stops_a_start_but_not_a_stop(rig: Rig, ctid: int) -> None:
    rig.operate("start", ctid)
    stranger = rig.paths(ctid).scripts / "umount"
    stranger.write_text("#!/bin/sh\necho a stranger\n")
    stranger.chmod(0o755)

    stopped = rig.operate("stop", ctid)
    assert stopped.code == 0
    assert "a stranger\n" in stopped.log
    ran = next(e for e in stopped.events if e["ev"] == "script")
    assert ran["foreign"] is True

    refused = rig.operate("start", ctid)
    assert (refused.code, refused.state) == (79, State.STOPPED)
    assert f"The file {stranger} was not written by the panel" in refused.end["error"]
    assert stranger.exists()

    assert rig.operate("start", ctid, replace_scripts=True).code == 0
    assert not stranger.exists()


def test_a_script_that_was_taken_away_in_the_panel_is_gone_from_the_node(
    rig: Rig, ctid: int
) -> None:
    rig.write(ctid, "mount", "#!/bin/sh\necho once\n")
    rig.operate("mount", ctid)
    rig.operate("umount", ctid)
    rig.scripts.clear()

    assert rig.operate("mount", ctid).scripts == []
    assert not (rig.paths(ctid).scripts / "mount").exists()


def log_of(rig: Rig, number: int) -> bytes:
    try:
        return rig.spool(number).log.read_bytes()
    except FileNotFoundError:
        return b""
