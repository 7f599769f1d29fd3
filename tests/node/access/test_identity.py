"""What tells a container from the template it was made from, and from every other container."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node.access import hostname
from containers.node.access.identity import (
    host_keys,
    hosts,
    make_host_keys,
    set_hostname,
    set_machine_id,
    set_resolver,
    validate_nameserver,
    validate_nameservers,
    validate_search_domain,
    validate_search_domains,
)
from containers.node.errors import BadValue, Code
from containers.node.trees.safe_tree import BadTree, SafeTree


@pytest.fixture
def fs(tmp_path: Path) -> Path:
    (tmp_path / "fs" / "etc" / "ssh").mkdir(parents=True)
    return tmp_path / "fs"


@pytest.fixture
def tree(fs: Path) -> Iterator[SafeTree]:
    with SafeTree(fs) as tree:
        yield tree


@pytest.mark.parametrize(
    "good", ["web", "a", "1and1", "web-1.example.com", "WWW", "x" * 63, "3com", "a_b", "_a"]
)
def test_a_host_name_is_taken_as_it_is(good: str) -> None:
    assert hostname.check(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", ".", "-web", "web-", "web.", ".web", "a..b", "a b", "wéb", "x" * 64, "a.b" * 30,
     "web\n", "$(id)", "a;b", "101", "192.0.2.1", "web.1", "a/b", "²", "a.²"],
)  # fmt: skip
def test_what_is_no_host_name_is_refused(bad: str) -> None:
    with pytest.raises(BadValue) as error:
        hostname.check(bad)
    assert error.value.code == Code.HOSTNAME


def test_a_name_server_is_an_address_written_the_usual_way() -> None:
    assert validate_nameserver("192.0.2.53") == "192.0.2.53"
    assert validate_nameserver("2001:DB8:0::53") == "2001:db8::53"
    bad = ["", "ns", "192.0.2", "192.0.2.1/24", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
           "fe80::1%eth0", "255.255.255.255", "192.0.2.1\nsearch x", " 192.0.2.1",
           "3221225985"]  # fmt: skip
    for text in bad:
        with pytest.raises(BadValue) as error:
            validate_nameserver(text)
        assert error.value.code == Code.DNS
    with pytest.raises(BadValue, match="3 name servers at most"):
        validate_nameservers(["192.0.2.1"] * 4)


def test_a_search_domain_is_a_name() -> None:
    assert validate_search_domain("example.com") == "example.com"
    for text in ["", "a b", "a\nnameserver 192.0.2.1", "-a", "x" * 64, ".".join(["x" * 60] * 5)]:
        with pytest.raises(BadValue):
            validate_search_domain(text)
    with pytest.raises(BadValue, match="6 domains and 256 characters at most"):
        validate_search_domains(["example.com"] * 7)


def test_the_name_is_set_and_the_rest_of_hosts_is_kept(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/hosts").write_bytes(
        b"127.0.0.1\tlocalhost\n127.0.1.1\told.example.com old\n# caf\xe9\x0b\n192.0.2.9 db\n"
    )
    set_hostname(tree, "web.example.com")
    assert (fs / "etc/hostname").read_text() == "web.example.com\n"
    assert (fs / "etc/hosts").read_bytes() == (
        b"127.0.0.1\tlocalhost\n# caf\xe9\x0b\n192.0.2.9 db\n"
        b"127.0.1.1 web.example.com web # set by the panel\n"
    )


def test_naming_twice_leaves_one_line() -> None:
    first = hosts("127.0.0.1 localhost\n", "one", ["192.0.2.7", "2001:db8::7"])
    assert first == (
        "127.0.0.1 localhost\n192.0.2.7 one # set by the panel\n"
        "2001:db8::7 one # set by the panel\n"
    )
    assert hosts(first, "two") == "127.0.0.1 localhost\n127.0.1.1 two # set by the panel\n"
    assert hosts(hosts(first, "two"), "one", ["192.0.2.7", "2001:db8::7"]) == first


def test_a_tree_without_hosts_gets_localhost_too(tree: SafeTree, fs: Path) -> None:
    set_hostname(tree, "web")
    assert (fs / "etc/hosts").read_text().startswith("127.0.0.1 localhost\n::1 localhost")


def test_red_hats_old_place_is_kept_in_step(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/sysconfig").mkdir()
    (fs / "etc/sysconfig/network").write_text('NETWORKING=yes\nHOSTNAME="old"\nGATEWAY=192.0.2.1\n')
    set_hostname(tree, "web")
    assert (fs / "etc/sysconfig/network").read_text() == (
        "NETWORKING=yes\nHOSTNAME=web\nGATEWAY=192.0.2.1\n"
    )


@pytest.mark.parametrize("name", ["hostname", "hosts", "resolv.conf", "machine-id"])
@pytest.mark.parametrize("target", ["{node}/file", "../../node/file"])
def test_a_link_to_the_nodes_file_is_replaced_and_not_followed(
    tree: SafeTree, fs: Path, name: str, target: str
) -> None:
    (fs.parent / "node").mkdir()
    (fs.parent / "node/file").write_text("the node's own")
    (fs / "etc" / name).symlink_to(target.format(node=fs.parent / "node"))
    set_hostname(tree, "web")
    set_resolver(tree, ["192.0.2.53"])
    set_machine_id(tree)
    assert (fs.parent / "node/file").read_text() == "the node's own"
    assert not (fs / "etc" / name).is_symlink()
    assert "node's own" not in (fs / "etc" / name).read_text()


def test_hosts_that_is_a_fifo_is_an_error_and_nothing_is_written(tree: SafeTree, fs: Path) -> None:
    os.mkfifo(fs / "etc/hosts")
    with pytest.raises(BadTree, match=r"/etc/hosts in the container is a fifo, not a file\.$"):
        set_hostname(tree, "web")
    assert not (fs / "etc/hostname").exists()


def test_the_resolver_replaces_the_link_of_systemd(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    set_resolver(tree, ["192.0.2.53", "2001:db8::53"], ["example.com", "example.net"])
    assert (fs / "etc/resolv.conf").read_text() == (
        "# set by the panel\nsearch example.com example.net\n"
        "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"
    )
    with pytest.raises(BadValue):
        set_resolver(tree, ["192.0.2.53"], ["x\nnameserver 192.0.2.66"])
    assert "192.0.2.66" not in (fs / "etc/resolv.conf").read_text()


def test_every_machine_id_is_another(tree: SafeTree, fs: Path) -> None:
    first, second = set_machine_id(tree), set_machine_id(tree)
    assert first != second
    assert (fs / "etc/machine-id").read_text() == f"{second}\n"
    assert len(bytes.fromhex(second)) == 16
    assert not (fs / "var").exists()


def test_dbus_has_the_same_machine_id_unless_it_links_there(tree: SafeTree, fs: Path) -> None:
    (fs / "var/lib/dbus").mkdir(parents=True)
    (fs / "var/lib/dbus/machine-id").write_text("old\n")
    machine_id = set_machine_id(tree)
    assert (fs / "var/lib/dbus/machine-id").read_text() == f"{machine_id}\n"
    (fs / "var/lib/dbus/machine-id").unlink()
    (fs / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    set_machine_id(tree)
    assert (fs / "var/lib/dbus/machine-id").is_symlink()


def test_host_keys_are_fresh_and_those_of_the_template_are_gone(tree: SafeTree, fs: Path) -> None:
    ssh = fs / "etc/ssh"
    for name in ("ssh_host_dsa_key", "ssh_host_rsa_key.pub", "ssh_host_rsa_key-cert.pub", "moduli"):
        (ssh / name).write_text("of the template")
    first = make_host_keys(tree, "root@web")
    assert [kind for kind, _ in first] == ["ecdsa", "ed25519"]
    assert sorted(path.name for path in ssh.iterdir()) == [
        "moduli", "ssh_host_ecdsa_key", "ssh_host_ecdsa_key.pub",
        "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub",
    ]  # fmt: skip
    assert stat.S_IMODE((ssh / "ssh_host_ed25519_key").stat().st_mode) == 0o600
    for kind, sha256 in first:
        derived = ["ssh-keygen", "-y", "-f", f"{ssh}/ssh_host_{kind}_key"]
        public = subprocess.run(derived, check=True, capture_output=True).stdout
        listed = subprocess.run(
            ["ssh-keygen", "-l", "-f", "-"], input=public, check=True, capture_output=True
        )
        assert sha256.encode() in listed.stdout
    assert not {sha256 for _, sha256 in make_host_keys(tree)} & {sha256 for _, sha256 in first}
    assert host_keys(tree) != first


def test_an_rsa_host_key_is_made_where_sshd_is_told_to_use_no_other(
    tree: SafeTree, fs: Path
) -> None:
    config = fs / "etc/ssh/sshd_config"
    config.write_text("#HostKey /etc/ssh/ssh_host_ed25519_key\nHostKey /etc/ssh/ssh_host_rsa_key\n")
    assert [kind for kind, _ in make_host_keys(tree)] == ["ecdsa", "ed25519", "rsa"]
    config.write_text(config.read_text().replace("#", ""))
    assert [kind for kind, _ in make_host_keys(tree)] == ["ecdsa", "ed25519"]


def test_a_tree_without_sshd_gets_no_keys(tree: SafeTree, fs: Path) -> None:
    (fs / "etc/ssh").rmdir()
    assert make_host_keys(tree) == []
    assert host_keys(tree) == []


def test_broken_public_keys_are_left_out_of_the_display(tree: SafeTree, fs: Path) -> None:
    made = make_host_keys(tree)
    ssh = fs / "etc/ssh"
    (ssh / "ssh_host_empty_key.pub").touch()
    (ssh / "ssh_host_nonsense_key.pub").write_bytes(b"\xff \xff\n")
    (ssh / "ssh_host_link_key.pub").symlink_to("ssh_host_ed25519_key.pub")
    os.mkfifo(ssh / "ssh_host_fifo_key.pub")
    assert host_keys(tree) == made


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ownership")
def test_everything_belongs_to_the_containers_root(fs: Path) -> None:
    with SafeTree(fs, base=200000) as tree:
        set_hostname(tree, "web")
        set_resolver(tree, ["192.0.2.53"])
        set_machine_id(tree)
        make_host_keys(tree)
    written = [path.stat() for path in fs.rglob("*") if path.is_file()]
    assert len(written) == 8
    assert {(found.st_uid, found.st_gid) for found in written} == {(200000, 200000)}
