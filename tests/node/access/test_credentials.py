"""A reinstalled container keeps its people: what is taken over of the old system, what not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.access.credentials import merge_credentials
from containers.node.trees.safe_tree import BadTree, Missing, SafeTree

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice\n"

OLD = {
    "passwd": "root:x:0:0:Old Root:/root:/bin/bash\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "dbus:x:998:998::/:/bin/sh\n"
    "www:x:33:33:www:/var/www:/bin/sh\n"
    "alice:x:1000:1000:Alice A:/home/alice:/bin/zsh\n"
    "+::::::\nodd:x:abc:1:::\n",
    "shadow": "root:$6$old$rootoldroot:19000:0:99999:7:::\n"
    "daemon:*:19000:0:99999:7:::\n"
    "alice:$y$j9T$alice:19100:0:90:7:::\n",
    "group": "root:x:0:\nsudo:x:27:alice,ghost\ndbus:x:998:\nalice:x:1000:\nwww:x:34:alice\n",
    "gshadow": "alice:!:root:\n",
}
NEW = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "polkit:x:998:998::/:/usr/sbin/nologin\n"
    "www:x:48:48:www:/srv:/bin/sh\n"
    "+::::::\n",
    "shadow": "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\npolkit:!:20000::::::\n"
    "www:*:20000::::::\n",
    "group": "root:x:0:\nsudo:x:27:\npolkit:x:998:\nwww:x:33:\n",
    "gshadow": "root:*::\nsudo:*::\npolkit:!::\nwww:!::\n",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return system(tmp_path / "old", OLD)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return system(tmp_path / "new", NEW)


@pytest.fixture
def trees(old: Path, new: Path) -> Iterator[tuple[SafeTree, SafeTree]]:
    with SafeTree(old) as before, SafeTree(new) as after:
        yield before, after


def system(fs: Path, files: dict[str, str]) -> Path:
    for folder in ("etc", "root", "bin", "usr/sbin"):
        (fs / folder).mkdir(parents=True)
    for shell in ("bin/sh", "bin/bash", "usr/sbin/nologin"):
        (fs / shell).touch()
    for name, content in files.items():
        (fs / "etc" / name).write_text(content)
    return fs


def lines(fs: Path, name: str) -> list[str]:
    return (fs / "etc" / name).read_text().splitlines()


def files(fs: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (fs / "etc").iterdir() if path.is_file()}


def test_the_same_user_keeps_password_name_home_and_shell(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    merge_credentials(*trees)
    assert lines(new, "passwd")[0] == "root:x:0:0:Old Root:/root:/bin/bash"
    assert lines(new, "shadow")[0] == "root:$6$old$rootoldroot:19000:0:99999:7:::"


def test_a_user_with_another_id_stays_the_new_systems(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    notes = merge_credentials(*trees)
    assert "www:x:48:48:www:/srv:/bin/sh" in lines(new, "passwd")
    assert "www:*:20000::::::" in lines(new, "shadow")
    assert "user www is the new system's: its id was another" in notes


def test_a_person_only_the_old_system_knows_is_added(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    notes = merge_credentials(*trees)
    assert lines(new, "passwd")[-1] == "alice:x:1000:1000:Alice A:/home/alice:/bin/sh"
    assert lines(new, "shadow")[-1] == "alice:$y$j9T$alice:19100:0:90:7:::"
    assert lines(new, "group")[-1] == "alice:x:1000:"
    assert lines(new, "gshadow")[-1] == "alice:!:root:"
    assert "user alice gets another shell: there's no /bin/zsh now" in notes


def test_a_system_user_whose_id_is_anothers_now_is_not_added(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    notes = merge_credentials(*trees)
    assert not [line for line in lines(new, "passwd") if line.startswith("dbus")]
    assert "user dbus was not taken over: its id is polkit's now" in notes
    assert "group dbus was not taken over: its id is polkit's now" in notes


def test_a_group_gains_the_members_that_exist(trees: tuple[SafeTree, SafeTree], new: Path) -> None:
    merge_credentials(*trees)
    assert "sudo:x:27:alice" in lines(new, "group")
    assert "sudo:*::alice" in lines(new, "gshadow")
    assert "www:x:33:" in lines(new, "group")


def test_odd_rows_of_the_old_are_lost_and_those_of_the_new_are_kept(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    merge_credentials(*trees)
    assert lines(new, "passwd").count("+::::::") == 1
    assert not [line for line in lines(new, "passwd") if line.startswith("odd")]


def test_merging_twice_changes_nothing_more(trees: tuple[SafeTree, SafeTree], new: Path) -> None:
    merge_credentials(*trees)
    once = files(new)
    merge_credentials(*trees)
    assert files(new) == once


def test_the_old_system_is_not_written_to(trees: tuple[SafeTree, SafeTree], old: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in old.rglob("*")}
    merge_credentials(*trees)
    assert {path: path.lstat().st_mtime_ns for path in old.rglob("*")} == before


def test_passwords_in_an_old_passwd_go_to_the_new_shadow(
    trees: tuple[SafeTree, SafeTree], old: Path, new: Path
) -> None:
    (old / "etc/shadow").unlink()
    (old / "etc/passwd").write_text("root:$1$ab$oldold:0:0::/root:/bin/sh\n")
    merge_credentials(*trees)
    assert lines(new, "shadow")[0].startswith("root:$1$ab$oldold:")
    assert lines(new, "passwd")[0] == "root:x:0:0::/root:/bin/sh"


def test_without_a_shadow_in_the_new_system_passwords_go_to_its_passwd(
    trees: tuple[SafeTree, SafeTree], new: Path
) -> None:
    (new / "etc/shadow").unlink()
    merge_credentials(*trees)
    assert lines(new, "passwd")[0] == "root:$6$old$rootoldroot:0:0:Old Root:/root:/bin/bash"
    assert not (new / "etc/shadow").exists()


def test_a_user_whose_old_password_is_nowhere_keeps_the_new_one(
    trees: tuple[SafeTree, SafeTree], old: Path, new: Path
) -> None:
    (old / "etc/shadow").unlink()
    merge_credentials(*trees)
    assert lines(new, "shadow")[0] == "root:*:20000:0:99999:7:::"
    assert lines(new, "shadow")[-1].startswith("alice:!:")


def test_roots_keys_come_along_once(trees: tuple[SafeTree, SafeTree], old: Path, new: Path) -> None:
    (old / "root/.ssh").mkdir()
    (old / "root/.ssh/authorized_keys").write_text('from="192.0.2.1" ssh-rsa AAAAbob bob\n' + KEY)
    (new / "root/.ssh").mkdir()
    (new / "root/.ssh/authorized_keys").write_text(KEY.replace("alice", "panel"))
    merge_credentials(*trees)
    assert (new / "root/.ssh/authorized_keys").read_text() == (
        KEY.replace("alice", "panel") + 'from="192.0.2.1" ssh-rsa AAAAbob bob\n'
    )


def test_keys_behind_a_link_are_left_and_said(trees: tuple[SafeTree, SafeTree], old: Path) -> None:
    (old / "root/.ssh").symlink_to("/root/.ssh")
    said = merge_credentials(*trees)[-1]
    assert said.startswith("root's SSH keys were not taken over")
    assert "/root/.ssh/authorized_keys in the container is reached through a link" in said


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("shape", ["link to the node's", "fifo", "directory", "gigabyte"])
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_hostile_file_is_an_error_and_nothing_is_written(
    trees: tuple[SafeTree, SafeTree], old: Path, new: Path, name: str, shape: str, side: str
) -> None:
    victim = (old if side == "old" else new) / "etc" / name
    victim.unlink()
    match shape:
        case "fifo":
            os.mkfifo(victim)
        case "directory":
            victim.mkdir()
        case "gigabyte":
            victim.touch()
            os.truncate(victim, 1 << 30)
        case _:
            victim.symlink_to("/etc/passwd")
    before = {path: path.lstat().st_mtime_ns for path in new.rglob("*")}
    with pytest.raises(BadTree, match=f"/etc/{name} in the container is "):
        merge_credentials(*trees)
    assert {path: path.lstat().st_mtime_ns for path in new.rglob("*")} == before


def test_a_tree_without_users_is_an_error(trees: tuple[SafeTree, SafeTree], old: Path) -> None:
    (old / "etc/passwd").unlink()
    with pytest.raises(Missing):
        merge_credentials(*trees)


@pytest.mark.parametrize(
    "passwd",
    [
        b"\xff\xfe\x00" * 1000,
        b":" * 100_000,
        b"bob:x:99999999999999999999:0:::\n",
        b"bob:x:1001:1001:a\0b:/home/bob:/bin/sh\nro ot::0:0:::\n-x::0:0:::\n",
        b"".join(b"user%d:x:%d:0:::/bin/sh\n" % (n, n + 2000) for n in range(20_000)),
    ],
)
def test_nonsense_in_the_old_files_does_no_harm(
    trees: tuple[SafeTree, SafeTree], old: Path, new: Path, passwd: bytes
) -> None:
    (old / "etc/passwd").write_bytes(passwd)
    merge_credentials(*trees)
    assert lines(new, "passwd")[:5] == NEW["passwd"].splitlines()
    assert not [row for row in lines(new, "passwd") if row.startswith(("bob", "ro ot", "-x"))]
