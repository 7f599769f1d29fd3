"""What stays of people in a system is found and taken away; a hostile tree reaches nothing else."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.templates import remains
from containers.node.templates.remains import BY_WORD, DEFAULT, MOST, Found
from containers.node.trees.safe_tree import BadTree, SafeTree

SECRET = "the node's own\n"
HASH = "$y$j9T$abcdefgh$ijklmnop"
FILES = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n"
    "git:x:998:998::/srv/git:/bin/sh\n",
    "etc/shadow": f"root:{HASH}:1::::::\ndaemon:*:1::::::\nbob:!{HASH}:1::::::\nopen::1::::::\n",
    "etc/shadow-": f"root:{HASH}:1::::::\n",
    "etc/skel/.bashrc": "# plain\n",
    "root/.bashrc": "export TOKEN=abc\n",
    "root/.ssh/authorized_keys": "ssh-ed25519 AAAA bob\n",
    "root/.bash_history": "mysql -psecret\n",
    "root/notes/deep/er.txt": "x",
    "home/bob/.ssh/id_ed25519": "PRIVATE",
    "home/bob/.python_history": "x",
    "home/bob/site/index.html": "kept",
    "srv/git/.netrc": "machine x password y",
    "var/lib/dhcp/dhclient.eth0.leases": "x",
    "var/lib/systemd/random-seed": "x",
    "var/lib/systemd/catalog/database": "kept",
    "var/mail/bob": "From x",
    "var/log/syslog": "x",
    "var/log/nginx/access.log": "x",
    "tmp/session": "x",
}


@pytest.fixture
def fs(tmp_path: Path) -> Path:
    """A system that was used, and beside it what must never be reached."""
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "secret").write_text(SECRET)
    fs = tmp_path / "fs"
    for name, text in FILES.items():
        (fs / name).parent.mkdir(parents=True, exist_ok=True)
        (fs / name).write_text(text)
    (fs / "etc/shadow").chmod(0o640)
    return fs


@pytest.fixture
def tree(fs: Path) -> Iterator[SafeTree]:
    with SafeTree(fs, base=os.geteuid()) as tree:
        yield tree


def found(tree: SafeTree) -> dict[str, Found]:
    return {each.group: each for each in remains.look(tree)}


def clean(tree: SafeTree, *words: str) -> list[str]:
    said: list[str] = []
    remains.clean(tree, words, said.append)
    return said


def left(fs: Path) -> set[str]:
    return {f"{path.relative_to(fs)}" for path in fs.rglob("*") if not path.is_dir()}


def test_everything_is_found_with_its_count_and_where(tree: SafeTree) -> None:
    counts = {group: each.count for group, each in found(tree).items()}
    assert counts == {
        "passwords": 4, "keys": 3, "histories": 2, "root": 4, "leases": 2, "mail": 1, "logs": 2,
        "temporary": 1, "homes": 3,
    }  # fmt: skip
    assert found(tree)["passwords"].paths == (
        "/etc/shadow: root", "/etc/shadow: bob", "/etc/shadow: open", "/etc/shadow-",
    )  # fmt: skip
    assert found(tree)["keys"].paths[0] == "/root/.ssh/authorized_keys"


def test_what_is_cleaned_unasked_is_all_but_the_homes(fs: Path, tree: SafeTree) -> None:
    said = clean(tree, *DEFAULT)
    assert left(fs) == {
        "etc/passwd", "etc/shadow", "etc/skel/.bashrc", "root/.bashrc",
        "home/bob/site/index.html", "var/lib/systemd/catalog/database",
    }  # fmt: skip
    assert (fs / "root/.bashrc").read_text() == "# plain\n"
    assert (fs / "var/log/nginx").is_dir()
    assert "Stays in it: everything in /home: 1 (/home/bob/site/index.html)" in said
    assert "Removed: mail: 1 (/var/mail/bob)" in said
    assert {*found(tree)} == {"root", "homes"}  # a plain .bashrc is all there is in /root


def test_no_hash_and_no_open_account_is_left(fs: Path, tree: SafeTree) -> None:
    clean(tree, "passwords")
    assert (fs / "etc/shadow").read_text() == (
        "root:!:1::::::\ndaemon:*:1::::::\nbob:!:1::::::\nopen:!:1::::::\n"
    )
    assert stat.S_IMODE((fs / "etc/shadow").stat().st_mode) == 0o640


@pytest.mark.parametrize("word", BY_WORD)
def test_one_group_is_cleaned_and_the_others_stay(fs: Path, tree: SafeTree, word: str) -> None:
    before = {*found(tree)}
    said = clean(tree, word)
    assert sum(each.startswith("Removed: ") for each in said) == 1
    assert before - {*found(tree)} <= {word, *(["histories"] if word == "root" else [])}
    assert word == "root" or word not in found(tree)


def test_nothing_is_cleaned_where_nobody_asked(fs: Path, tree: SafeTree) -> None:
    before = left(fs)
    assert all(each.startswith("Stays in it: ") for each in clean(tree))
    assert left(fs) == before


# Trees as a container's root can make them

AT_HOME = "root/.ssh", "root/.bash_history", "home/bob/.ssh", "tmp/session", "root/notes"


@pytest.mark.parametrize("where", AT_HOME)
@pytest.mark.parametrize("target", ["../../node", "../../../node", "/../node", "{node}"])
def test_a_link_is_removed_and_what_it_leads_to_is_not(
    fs: Path, tree: SafeTree, where: str, target: str
) -> None:
    node = fs.parent / "node"
    replace(fs / where, target.format(node=node))
    clean(tree, *BY_WORD)
    assert (node / "secret").read_text() == SECRET
    assert not (fs / where).is_symlink()


@pytest.mark.parametrize("where", ["var/log", "root", "tmp", "home", "var/lib/dhcp"])
def test_a_place_that_is_a_link_to_the_nodes_files_is_refused(
    fs: Path, tree: SafeTree, where: str
) -> None:
    node = fs.parent / "node"
    (fs / "elsewhere").mkdir()
    (fs / "elsewhere/secret").write_text("of the container")
    replace(fs / where, "/elsewhere")
    with pytest.raises(BadTree):
        clean(tree, *BY_WORD)
    assert (fs / "elsewhere/secret").exists()
    (fs / where).unlink()
    (fs / where).symlink_to(node)
    clean(tree, *BY_WORD)  # in the tree it leads nowhere
    assert (node / "secret").read_text() == SECRET


@pytest.mark.parametrize("above", ["var", "home"])
def test_a_directory_on_the_way_that_leads_to_the_nodes(
    fs: Path, tree: SafeTree, above: str
) -> None:
    node = fs.parent / "node"
    for name in ("log", "mail", "bob", "bob/.ssh"):
        (node / name).mkdir()
    for path in ("log/syslog", "mail/bob", "bob/.ssh/id", "bob/.bash_history"):
        (node / path).write_text(SECRET)
    before = left(node)
    replace(fs / above, f"{node}")
    clean(tree, *BY_WORD)
    assert left(node) == before


def test_a_list_of_passwords_that_is_a_link_is_refused(fs: Path, tree: SafeTree) -> None:
    replace(fs / "etc/shadow", "/etc/shadow.real")
    (fs / "etc/shadow.real").write_text(f"root:{HASH}:1::::::\n")
    assert "/etc/shadow" in found(tree)["passwords"].paths
    with pytest.raises(BadTree, match="link"):
        clean(tree, "passwords")


def test_mail_in_either_of_two_places_that_are_one(fs: Path, tree: SafeTree) -> None:
    (fs / "var/spool").mkdir()
    (fs / "var/spool/mail").symlink_to("../mail")
    assert found(tree)["mail"].count == 1
    clean(tree, "mail")
    assert (fs / "var/spool/mail").is_symlink()
    assert not (fs / "var/mail/bob").exists()


def test_an_account_whose_home_is_the_whole_system(fs: Path, tree: SafeTree) -> None:
    lines = "".join(
        f"x:x:1:1::{home}:/bin/sh\n" for home in ("/", "/..", "/../node", "//", "", "etc", "/etc/")
    )
    (fs / "etc/passwd").write_text(lines)
    clean(tree, "keys", "histories")
    assert (fs / "etc/shadow").exists()
    assert (fs.parent / "node/secret").exists()


def test_directories_as_deep_as_can_be(fs: Path, tree: SafeTree) -> None:
    for top in ("tmp", "var/log", "root/.ssh"):
        here = os.open(fs / top, os.O_RDONLY)
        for _ in range(3000):
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(os.open("file", os.O_CREAT, dir_fd=here))
        os.close(here)
    assert found(tree)["temporary"].count == 2  # not gone into further than it makes sense
    clean(tree, *DEFAULT)
    assert os.listdir(fs / "tmp") == []
    assert not (fs / "root/.ssh").exists()


def test_more_files_than_anybody_counts(fs: Path, tree: SafeTree) -> None:
    for number in range(MOST + 1):
        (fs / f"var/log/{number}").touch()
    assert found(tree)["logs"].count == MOST
    assert any("10000 or more" in line for line in clean(tree, "logs"))
    assert os.listdir(fs / "var/log") == ["nginx"]


def test_names_that_no_terminal_should_see(fs: Path, tree: SafeTree) -> None:
    (fs / "tmp/\x1b]0;evil\x07\u2028").touch()
    (fs / os.fsdecode(b"tmp/\xff\xfe")).touch()
    for path in found(tree)["temporary"].paths:
        assert path.isprintable()
        path.encode()
    clean(tree, "temporary")
    assert os.listdir(fs / "tmp") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a device")
def test_fifos_sockets_and_devices_are_never_opened(fs: Path, tree: SafeTree) -> None:
    os.mkfifo(fs / "etc/gshadow")
    os.mknod(fs / "root/.ssh/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mkfifo(fs / "tmp/fifo")
    with pytest.raises(BadTree):
        clean(tree, "passwords")
    clean(tree, "keys", "temporary")
    assert os.listdir(fs / "tmp") == []


def replace(path: Path, target: str) -> None:
    """A link in the place of what is there."""
    path.rename(path.with_name(f".was-{path.name}"))
    path.symlink_to(target)
