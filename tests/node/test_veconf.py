"""ve.conf: the panel writes its lines, and those of others stay as they are and run nothing."""

import subprocess
from pathlib import Path

import pytest

from containers.node import veconf

MINE = """# the first line is mine
VETH_IP_ADDRESS="192.0.2.7 192.0.2.8"   # for vznetaddbr

HOSTNAME="before"
BOOTORDER=7
NAMESERVER="192.0.2.53"
HOSTNAME="twice"
"""


def merged(text: str, **values: str) -> str:
    return veconf.merge(text, values, own={"HOSTNAME", "NAMESERVER"}, heading="The panel.")


def test_lines_that_are_not_the_panels_stay_in_their_places() -> None:
    text = merged(MINE, HOSTNAME="now", VE_ROOT="/vz/root/101")
    assert text == (
        "# The panel.\n"
        "# the first line is mine\n"
        'VETH_IP_ADDRESS="192.0.2.7 192.0.2.8"   # for vznetaddbr\n'
        "\n"
        'HOSTNAME="now"\n'
        "BOOTORDER=7\n"
        'VE_ROOT="/vz/root/101"\n'
    )
    assert merged(text, HOSTNAME="now", VE_ROOT="/vz/root/101") == text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=$(touch FILE)", "$(touch FILE)"),
        ('KEY="`touch FILE`"', "`touch FILE`"),
        ('KEY="a" ; touch FILE', "a"),
        ("KEY=a; touch FILE", "a; touch FILE"),
        ("KEY=a touch FILE", "a touch FILE"),
        ('KEY="a\ntouch FILE"', "a"),
        ("touch FILE", None),
        ("export KEY=$(touch FILE)", None),
        (". /dev/fd/0 <<< 'touch FILE'", None),
        ("KEY=a\\\ntouch FILE", "a\\"),
        ("KEY='it is'", "it is"),
        ("KEY=\r$(touch FILE)", "$(touch FILE)"),
    ],
)
def test_no_line_runs_anything_whoever_has_written_it(
    tmp_path: Path, line: str, value: str | None
) -> None:
    made = tmp_path / "made"
    (tmp_path / "ve.conf").write_text(merged(line.replace("FILE", f"{made}"), HOSTNAME="now"))
    done = subprocess.run(
        ["bash", "-c", '. ./ve.conf; printf "%s" "${KEY-none} $HOSTNAME"'],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted = "none" if value is None else value.replace("FILE", f"{made}")
    assert (done.stdout, done.stderr) == (f"{wanted} now", "")
    assert not made.exists()
