"""Passwords and SSH keys of a container, set from the node while its root may do its worst."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.access import accounts
from containers.node.access.accounts import (
    add_key,
    fingerprint,
    hash_password,
    set_keys,
    set_password,
    validate_hash,
    validate_key,
    validate_password,
)
from containers.node.errors import BadValue, Code, OperationError
from containers.node.trees.safe_tree import BadTree, SafeTree

PASSWD = "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Bob B:/home/bob:/bin/sh\n+::::::\n"
SHADOW = "root:*:19000:0:99999:7:::\nbob:$6$abcdefgh$oldoldoldold:0:1:90:7:::\n"
HASH = "$6$rounds=5000$saltsalt$abcdefghijklmnop"
ALICE = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@home"
)
TODAY = f"{int(time.time()) // 86400}"


@pytest.fixture
def fs(tmp_path: Path) -> Path:
    fs = tmp_path / "fs"
    for folder in ("etc", "root", "home/bob"):
        (fs / folder).mkdir(parents=True)
    (fs / "etc/passwd").write_text(PASSWD)
    (fs / "etc/shadow").write_text(SHADOW)
    (fs / "etc/shadow").chmod(0o640)
    return fs


@pytest.fixture
def tree(fs: Path) -> Iterator[SafeTree]:
    with SafeTree(fs) as tree:
        yield tree


def public_key(folder: Path, *how: str) -> str:
    """A fresh key from ssh-keygen."""
    folder.mkdir(exist_ok=True)
    file = folder / "-".join(how)
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "bob", "-f", file, "-t", *how], check=True)
    return file.with_name(f"{file.name}.pub").read_text()


def test_a_hashed_password_is_what_crypt_makes_of_it() -> None:
    hashed = hash_password("corréct: horse $(x)")
    assert validate_hash(hashed) == hashed
    assert hashed.startswith("$6$rounds=")
    assert hashed != hash_password("corréct: horse $(x)")
    again = subprocess.run(
        ["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", "corréct: horse $(x)", hashed],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert again.stdout == hashed


@pytest.mark.parametrize("bad", ["", "a\nb", "a\0b", "\x7f", "x" * 257, "é" * 129])
def test_a_password_nobody_could_type_is_refused(bad: str) -> None:
    with pytest.raises(BadValue, match=r"^The password ") as error:
        validate_password(bad)
    assert error.value.code == Code.PASSWORD


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "*",
        "!",
        "secret",
        HASH + ":0",
        HASH + "\n",
        HASH + "\nroot::0:0",
        "$6$",
        "$6$a b$c",
    ],
)
def test_what_is_not_a_hash_never_reaches_a_file(tree: SafeTree, fs: Path, bad: str) -> None:
    with pytest.raises(BadValue):
        set_password(tree, "root", bad)
    assert (fs / "etc/shadow").read_text() == SHADOW


def test_a_password_goes_to_shadow_and_everything_else_stays(tree: SafeTree, fs: Path) -> None:
    set_password(tree, "root", HASH)
    assert (fs / "etc/passwd").read_text() == PASSWD
    shadow = SHADOW.replace("root:*:19000", f"root:{HASH}:{TODAY}")
    assert (fs / "etc/shadow").read_text() == shadow
    assert stat.S_IMODE((fs / "etc/shadow").stat().st_mode) == 0o640


def test_a_password_that_had_to_be_changed_is_changed_now(tree: SafeTree, fs: Path) -> None:
    set_password(tree, "bob", HASH)
    assert f"bob:{HASH}:{TODAY}:1:90:7:::\n" in (fs / "etc/shadow").read_text()


def test_a_user_without_a_shadow_row_gets_one(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/shadow").write_text("root:*:19000:0:99999:7:::")
    set_password(tree, "bob", HASH)
    assert (fs / "etc/shadow").read_text() == (
        f"root:*:19000:0:99999:7:::\nbob:{HASH}:{TODAY}:0:99999:7:::\n"
    )


def test_without_a_shadow_file_the_password_goes_to_passwd(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/shadow").unlink()
    set_password(tree, "bob", HASH)
    assert (fs / "etc/passwd").read_text() == PASSWD.replace("bob:x", f"bob:{HASH}")
    assert not (fs / "etc/shadow").exists()


def test_a_password_in_passwd_that_would_count_before_shadow_is_taken_out(
    tree: SafeTree, fs: Path
) -> None:
    (fs / "etc/passwd").write_text(PASSWD.replace("root:x", "root:"))
    set_password(tree, "root", HASH)
    assert (fs / "etc/passwd").read_text() == PASSWD


def test_an_unknown_user_is_refused(tree: SafeTree) -> None:
    with pytest.raises(BadValue, match=r"^The container has no user alice\.$") as error:
        set_password(tree, "alice", HASH)
    assert error.value.code == Code.PASSWORD
    for name in ("", "ro:ot", "root\n", "+", "-x"):
        with pytest.raises(BadValue):
            set_password(tree, name, HASH)


@pytest.mark.parametrize("name", ["passwd", "shadow"])
@pytest.mark.parametrize("shape", ["link", "fifo", "directory", "huge"])
def test_a_hostile_file_is_an_error_and_nothing_is_written(
    tree: SafeTree, fs: Path, name: str, shape: str
) -> None:
    others = fs.parent / "node"
    others.write_text(PASSWD)
    victim = fs / "etc" / name
    before = {path: path.read_bytes() for path in (fs / "etc").iterdir() if path != victim}
    victim.unlink()
    match shape:
        case "link":
            victim.symlink_to(others)
        case "fifo":
            os.mkfifo(victim)
        case "directory":
            victim.mkdir()
        case _:
            victim.touch()
            os.truncate(victim, 1 << 30)
    with pytest.raises(BadTree, match=f"/etc/{name} in the container is "):
        set_password(tree, "root", HASH)
    assert others.read_text() == PASSWD
    assert {p: p.read_bytes() for p in (fs / "etc").iterdir() if p != victim} == before


@pytest.mark.parametrize(
    "how", [["ed25519"], ["ecdsa"], ["ecdsa", "-b", "521"], ["rsa", "-b", "2048"]]
)
def test_a_real_key_is_valid_and_has_ssh_keygens_fingerprint(
    tmp_path: Path, how: list[str]
) -> None:
    key = validate_key(public_key(tmp_path / "keys", *how))
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", "-"], input=key, check=True, capture_output=True, text=True
    )
    assert fingerprint(key) == said.stdout.split()[1]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("", "not an OpenSSH public key"),
        ("ssh-ed25519", "not an OpenSSH public key"),
        ("ssh-dss AAAAB3NzaC1kc3M= x", "not an OpenSSH public key"),
        ("ssh-ed25519 AAAA!!!! x", "incomplete or damaged"),
        (ALICE[:60], "incomplete or damaged"),
        (ALICE.replace("ssh-ed25519", "ssh-rsa"), "incomplete or damaged"),
        (ALICE + "\n" + ALICE, "single line"),
        (ALICE + "\x1b[31m", "single line"),
        (f'command="rm -rf /" {ALICE}', "options are refused"),
        (f"no-pty {ALICE}", "options are refused"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n", "private key: keep it secret"),
    ],
)
def test_what_is_not_a_public_key_is_refused_with_the_reason(bad: str, sentence: str) -> None:
    with pytest.raises(BadValue, match=sentence):
        validate_key(bad)


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="needs 2048 bits"):
        validate_key(public_key(tmp_path / "keys", "rsa", "-b", "1024"))


def test_a_key_is_added_once_behind_those_that_are_there(tree: SafeTree, fs: Path) -> None:
    (fs / "root/.ssh").mkdir(mode=0o777)
    file = fs / "root/.ssh/authorized_keys"
    file.write_text(f'# {ALICE}\nfrom="192.0.2.1" ssh-rsa AAAAother carol')
    assert add_key(tree, "root", f"  {ALICE}\n")
    assert file.read_text() == f'# {ALICE}\nfrom="192.0.2.1" ssh-rsa AAAAother carol\n{ALICE}\n'
    assert not add_key(tree, "root", ALICE.replace("alice@home", "again"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_set_keys_leaves_these_keys_only(tree: SafeTree, fs: Path, tmp_path: Path) -> None:
    bobs = public_key(tmp_path / "keys", "ed25519")
    add_key(tree, "root", ALICE)
    set_keys(tree, "root", [bobs, bobs])
    assert (fs / "root/.ssh/authorized_keys").read_text() == bobs
    assert accounts.read_keys(tree, "root") == bobs.encode()
    with pytest.raises(BadValue):
        set_keys(tree, "root", [ALICE, "nonsense"])
    assert (fs / "root/.ssh/authorized_keys").read_text() == bobs


def test_root_gets_a_home_for_its_key_others_do_not(tree: SafeTree, fs: Path) -> None:
    (fs / "root").rmdir()
    (fs / "home/bob").rmdir()
    assert add_key(tree, "root", ALICE)
    assert stat.S_IMODE((fs / "root").stat().st_mode) == 0o700
    with pytest.raises(BadTree, match=r"/home/bob in the container is missing\.$"):
        add_key(tree, "bob", ALICE)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ownership")
def test_keys_belong_to_the_user_in_the_containers_own_ids(fs: Path) -> None:
    for path in (fs / "home/bob", fs / "root"):
        os.chown(path, 200000, 200000)
    with SafeTree(fs, base=200000) as tree:
        add_key(tree, "bob", ALICE)
        add_key(tree, "root", ALICE)
        for path, uid in ((fs / "home/bob", 201000), (fs / "root", 200000)):
            assert (path / ".ssh").stat().st_uid == uid
            assert (path / ".ssh/authorized_keys").stat().st_uid == uid
        os.chown(fs / "home/bob/.ssh", 200000, 200000)
        with pytest.raises(
            BadTree, match=r"/home/bob/.ssh in the container belongs to another user"
        ):
            add_key(tree, "bob", ALICE.replace("AAAAIAAB", "AAAAIAAC"))


@pytest.mark.parametrize("target", ["../../root/.ssh", "/root/.ssh", "{node}"])
def test_a_user_cannot_have_its_key_written_for_root(tree: SafeTree, fs: Path, target: str) -> None:
    (fs / "root/.ssh").mkdir()
    (fs.parent / "node").mkdir()
    (fs / "home/bob/.ssh").symlink_to(target.format(node=fs.parent / "node"))
    with pytest.raises(BadTree, match=r"/home/bob/.ssh in the container is "):
        set_keys(tree, "bob", [ALICE])
    assert not list((fs / "root/.ssh").iterdir())
    assert not list((fs.parent / "node").iterdir())


@pytest.mark.parametrize(
    "row", ["bob:x:1000", "bob:x:a:1:::", "bob:x:99999999:1000::/home/bob:", "bob:x:1:1::/../..:"]
)
def test_a_damaged_row_is_an_error_of_one_sentence(tree: SafeTree, fs: Path, row: str) -> None:
    (fs / "etc/passwd").write_text(f"{row}\n")
    with pytest.raises(OperationError, match=r"damaged line for bob|not a plain path"):
        add_key(tree, "bob", ALICE)
