"""pctl's words, without a database: vzctl's grammar, values, exit codes."""

import io
import os
import subprocess
import sys
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

from containers import options
from containers.commands import manual, pctl, repertoire
from containers.commands.ctid import read
from containers.grammar import BadSyntax, Fate, Given, parse
from containers.node.errors import BadValue

CREATE = repertoire.BY_WORDS["create"]
SET = repertoire.BY_WORDS["set"]


def understood(*words: str) -> Given:
    given = pctl.understand(list(words))
    assert not isinstance(given, list)
    return given


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("snapshots 101", 20),  # no such command
        ("stat 101", 20),
        ("script", 20),
        ("script make 101", 20),
        ("start", 21),  # CT ID missing
        ("script save", 20),  # NAME missing
        ("start 101 102", 20),
        ("start 101 --fast", 20),  # the option of another command
        ("start 101 --bogus", 20),
        ("set 101 --ram", 20),
        ("set 101 --save=yes", 20),
        ("set 101 --net 1", 20),  # --netif_add, --netdev_add, --netfilter …
        ("set 101 --onboot YES", 21),
        ("set 101 --ram lots", 21),
        ("set 101 --ram 512", 21),  # bytes
        ("set 101 --diskspace 1G:x", 21),
        ("set 101 --cpus -1", 21),
        ("set 101 --cpus nan", 21),
        ("set 101 --numproc 1.5", 21),
        ("set 101 --userpasswd root", 21),
        ("set 101 --userpasswd root:", 74),
        ("set 101 --sshkey /nowhere", 21),
        ("set 101 --capability sys_admin:on", 20),
        ("set 101 --netif_add eth0", 20),
        ("create 101 --private /elsewhere", 20),
        ("list -x", 20),
    ],
)
def test_wrong_words_end_in_vzctls_code(
    words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pctl.main(words.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(".\n")
    assert err.count("\n") == 1


def test_a_mistake_is_json_when_json_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert pctl.main(["start", "101", "--bogus", "--json"]) == 20
    out, _ = capsys.readouterr()
    assert '"code": 20' in out


@pytest.mark.parametrize(
    ("words", "slot", "value"),
    [
        ("--ram 512M", "ram", 512),
        ("--ram 1.5g", "ram", 1536),
        ("--ram=536870912", "ram", 512),
        ("--ram unlimited", "ram", None),
        ("--physpages 0:131072", "ram", 512),
        ("--physpages 0:unlimited", "ram", None),
        ("--diskspace 1048576", "diskspace", 1024),
        ("--diskspace 1G:2G", "diskspace", 2048),
        ("--diskspace 10G", "diskspace", 10240),
        ("--diskspace unlimited", "diskspace", None),
        ("--numproc 100:200", "pids", 200),
        ("--pids 300", "pids", 300),
        ("--cpus 1.5", "cpus", Decimal("1.5")),
        ("--cpus 0", "cpus", None),
        ("--cpulimit 150%", "cpus", Decimal("1.5")),
        ("--cpulimit 0", "cpus", None),
        ("--onboot yes", "onboot", True),
        ("--disabled no", "disabled", False),
        ("--hostn web", "hostname", "web"),  # shortened, as getopt_long allows
        ("--ipadd 10.0.0.1 --ipadd 10.0.0.2", "ipadd", ["10.0.0.1", "10.0.0.2"]),
        ("--nameserver inherit", "nameservers", ["inherit"]),
        ("--description --x", "description", "--x"),
    ],
)
def test_values_mean_what_they_mean_to_vzctl(words: str, slot: str, value: object) -> None:
    assert understood("set", "101", *words.split())[slot] == value


def test_options_may_come_before_the_ct_id_and_flags_before_the_command() -> None:
    given = understood("--quiet", "set", "--hostname", "web", "101", "--save")
    assert given.operands == {"CTID": "101"}
    assert given["hostname"] == "web"
    assert given["quiet"]


def test_ignored_options_warn_and_change_nothing() -> None:
    given = understood("set", "101", "--swap", "1G", "--kmemsize", "1:2", "--reset_ub")
    assert len(given.warnings) == 3
    assert given.options == {}


def test_what_follows_the_ct_id_of_exec_is_the_commands_own() -> None:
    given = understood("exec", "101", "ls", "--json", "-la", "--", "x")
    assert given.rest == ["ls", "--json", "-la", "--", "x"]
    assert "json" not in given
    assert understood("exec", "101", "--", "ls").rest == ["ls"]


def test_list_takes_short_options_together_and_any_number_of_ct_ids() -> None:
    given = understood("list", "-aHoctid,ip", "101", "102")
    assert given["all"]
    assert given["no_header"]
    assert given["output"] == "ctid,ip"
    assert given.rest == ["101", "102"]


def test_global_scripts_need_no_ct_id() -> None:
    assert understood("script", "save", "mount", "--global").operands == {"NAME": "mount"}
    given = understood("script", "save", "101", "mount")
    assert given.operands == {"CTID": "101", "NAME": "mount"}


def test_a_password_is_hashed_as_soon_as_it_is_read() -> None:
    given = understood("set", "101", "--userpasswd", "root:pass:word")
    assert given["userpasswd"]["user"] == "root"
    assert given["userpasswd"]["hash"].startswith("$6$")
    assert "pass:word" not in repr(given)


def test_a_password_can_come_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("root:correct horse\nmore"))
    assert options.account("-")["user"] == "root"


def test_a_file_of_keys_is_read_whole_and_only_public_keys_are_taken(tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4MhEH0bGDpBTSRyDNxV2nO1Z0pUSRr2ux2bVlsKbDY"
    file = tmp_path / "keys"
    file.write_text(f"# two\n{key} alice\n\n{key} bob\n")
    assert understood("set", "101", "--sshkey", f"{file}")["sshkeys"] == [
        f"{key} alice",
        f"{key} bob",
    ]
    file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(BadValue):
        understood("set", "101", "--sshkey", f"{file}")


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("101", 101),
        ("007", 7),
        (" 101", 101),
        ("+101", 101),
        ("", 0),
        ("0", 0),
        ("2147483644", 2147483644),
        ("2147483645", None),
        ("-1", None),
        ("0x65", None),
        ("1e3", None),
        ("101 ", None),
        ("\u0661\u0660\u0661", None),  # digits, but not ours
        ("web", None),
        ("9" * 5000, None),
    ],
)
def test_a_ct_id_is_what_strtol_reads(word: str, number: int | None) -> None:
    assert read(word) == number


def test_every_command_has_its_function_and_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in repertoire.ALL:
        module, _, name = command.run.partition(".")
        assert callable(getattr(import_module(f"containers.commands.{module}"), name))
        assert pctl.main([*command.words.split(), "--help"]) == 0
        assert command.usage in capsys.readouterr().out
    assert pctl.main(["help"]) == 0


def test_no_option_of_a_command_hides_another() -> None:
    for command in repertoire.ALL:
        names = [o.name for o in (*command.options, *repertoire.COMMON)]
        shorts = [o.short for o in (*command.options, *repertoire.COMMON) if o.short]
        assert len(set(names)) == len(names), command.words
        assert len(set(shorts)) == len(shorts), command.words


def test_the_table_says_of_every_option_what_becomes_of_it() -> None:
    text = manual.markdown()
    for option in (*CREATE.options, *SET.options):
        assert f"`{option.shown.replace('|', chr(92) + '|')}`" in text
        assert option.fate is Fate.DONE or option.note


def test_an_option_that_is_refused_says_why() -> None:
    with pytest.raises(BadSyntax, match="devices of the node"):
        parse(SET, ["101", "--devices", "b:8:0:rw"])


def test_help_does_not_wait_for_django() -> None:
    code = (
        "import sys; from containers.commands import pctl; pctl.main(['help']);"
        "sys.exit('django' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def test_a_reader_that_leaves_early_ends_nothing() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m containers.commands.pctl options | head -n1;"
                       "echo ${PIPESTATUS[0]}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"PANEL_DATABASE_URL": "postgres://me@127.0.0.1:1/none"}, "database can't be used"),
        ({}, "has no database at"),
    ],
)
def test_without_its_database_pctl_ends_with_3_and_makes_none(
    tmp_path: Path, setting: dict[str, str], says: str
) -> None:
    setting = {"PANEL_STATE_DIR": f"{tmp_path}", **setting}
    done = subprocess.run(
        [sys.executable, "-m", "containers.commands.pctl", "status", "101"],
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "panel.settings", **setting},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.sqlite3"))
