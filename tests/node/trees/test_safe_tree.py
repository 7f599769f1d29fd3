"""The container's root shapes its tree as it likes: nothing of the node's is read or written."""

import contextlib
import ctypes
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containers.node.errors import BadValue, NoSpace
from containers.node.trees.openat2 import Links, Locate, by_kernel, by_walking
from containers.node.trees.safe_tree import BadTree, Kind, Missing, SafeTree

SECRET = b"the node's own\n"
RENAME_EXCHANGE = 2

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ownership and mounts")


@pytest.fixture
def fs(tmp_path: Path) -> Path:
    """A tree, and beside it what it must never reach."""
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "passwd").write_bytes(SECRET)
    (tmp_path / "fs" / "etc").mkdir(parents=True)
    (tmp_path / "fs" / "etc" / "passwd").write_bytes(b"root:x:0:0\n")
    return tmp_path / "fs"


@pytest.fixture(params=[by_kernel, by_walking])
def locate(request: pytest.FixtureRequest) -> Locate:
    """With openat2, and as on a kernel without."""
    locate: Locate = request.param
    return locate


@pytest.fixture
def tree(fs: Path, locate: Locate) -> Iterator[SafeTree]:
    with SafeTree(fs, base=os.geteuid(), locate=locate) as tree:
        yield tree


def test_it_reads_the_containers_file(tree: SafeTree) -> None:
    assert tree.read("/etc/passwd") == b"root:x:0:0\n"


@pytest.mark.parametrize(
    "target", ["{node}/passwd", "../../node/passwd", "../../../../../etc/passwd"]
)
@pytest.mark.parametrize("links", Links)
def test_a_link_to_the_nodes_file_is_never_read(
    tree: SafeTree, fs: Path, target: str, links: Links
) -> None:
    (fs / "etc" / "hosts").symlink_to(target.format(node=fs.parent / "node"))
    with contextlib.suppress(BadTree):
        assert tree.read("/etc/hosts", links=links) == b"root:x:0:0\n"


@pytest.mark.parametrize("links", Links)
def test_a_directory_that_is_a_link_to_the_nodes_is_never_entered(
    tree: SafeTree, fs: Path, links: Links
) -> None:
    for name, target in (("up", "../node"), ("out", f"{fs.parent / 'node'}")):
        (fs / name).symlink_to(target)
        with pytest.raises(BadTree):
            tree.read(f"/{name}/passwd", links=links)
        with pytest.raises(BadTree):
            tree.write(f"/{name}/new", b"", links=links)
        with pytest.raises(BadTree):
            tree.mkdir(f"/{name}/made", links=links)
        with contextlib.suppress(BadTree):
            assert not tree.remove(f"/{name}/passwd", links=links)
    assert [path.name for path in (fs.parent / "node").iterdir()] == ["passwd"]


def test_links_inside_lead_where_the_container_itself_would_go(tree: SafeTree, fs: Path) -> None:
    (fs / "run").mkdir()
    (fs / "run" / "resolv.conf").write_bytes(b"nameserver 192.0.2.1\n")
    (fs / "system").symlink_to("/etc")
    (fs / "etc" / "resolv.conf").symlink_to("../../../run/resolv.conf")
    (fs / "etc" / "absolute").symlink_to("/run/resolv.conf")
    for name in ("/system/resolv.conf", "/etc/absolute"):
        assert tree.read(name, links=Links.INSIDE) == b"nameserver 192.0.2.1\n"
    assert tree.read("/system/passwd") == b"root:x:0:0\n"
    with pytest.raises(BadTree, match=r"/etc/absolute in the container is a link, not a file\.$"):
        tree.read("/etc/absolute")
    with pytest.raises(BadTree, match="reached through a link"):
        tree.read("/system/passwd", links=Links.NONE)


def test_links_in_a_circle_are_an_error_not_a_hang(tree: SafeTree, fs: Path) -> None:
    (fs / "a").symlink_to("b")
    (fs / "b").symlink_to("a")
    with pytest.raises(BadTree, match="/a in the container is reached through a link"):
        tree.read("/a", links=Links.INSIDE)


def test_the_magic_links_of_proc_are_refused(fs: Path) -> None:
    with (
        SafeTree(Path("/proc"), cross=True, locate=by_kernel) as proc,
        pytest.raises(BadTree, match="reached through a link"),
    ):
        proc.read("self/root/etc/passwd", links=Links.INSIDE)


@pytest.mark.parametrize("path", ["/etc/../passwd", "../node/passwd", "/etc/a\0b"])
def test_a_path_that_is_not_plain_is_refused(tree: SafeTree, path: str) -> None:
    with pytest.raises(BadValue, match="not a plain path"):
        tree.read(path)


def test_a_fifo_a_socket_and_a_directory_are_named_and_not_opened(tree: SafeTree, fs: Path) -> None:
    os.mkfifo(fs / "etc" / "pipe")
    with pytest.raises(BadTree, match=r"/etc/pipe in the container is a fifo, not a file\.$"):
        tree.read("/etc/pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(fs / "etc", os.O_PATH)
        server.bind(f"/proc/self/fd/{here}/sock")
        os.close(here)
    assert tree.kind("/etc/sock") is Kind.SOCKET
    with pytest.raises(BadTree, match="is a socket, not a file"):
        tree.read("/etc/sock")
    with pytest.raises(BadTree, match="/etc in the container is a directory, not a file"):
        tree.read("/etc")
    with pytest.raises(BadTree, match="lies below something that is not a directory"):
        tree.read("/etc/passwd/x")


@root_only
def test_a_device_is_named_and_not_opened(tree: SafeTree, fs: Path) -> None:
    os.mknod(fs / "etc" / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    with pytest.raises(BadTree, match="is a device, not a file"):
        tree.read("/etc/zero")


def test_a_file_of_a_gigabyte_is_an_error_of_one_sentence(tree: SafeTree, fs: Path) -> None:
    os.truncate(fs / "etc" / "passwd", 1 << 30)
    with pytest.raises(BadTree, match=r"/etc/passwd in the container is larger than 1 MiB\.$"):
        tree.read("/etc/passwd")


def test_what_is_missing_is_told_apart(tree: SafeTree, fs: Path) -> None:
    with pytest.raises(Missing, match=r"/etc/shadow in the container is missing\.$"):
        tree.read("/etc/shadow")
    assert tree.look("/etc/shadow") is None
    assert tree.kind("/nowhere/at/all") is None
    with pytest.raises(Missing):
        SafeTree(fs / "nothing")


def test_the_tree_itself_may_not_be_a_link(fs: Path) -> None:
    (fs.parent / "alias").symlink_to("node")
    with pytest.raises(Missing):
        SafeTree(fs.parent / "alias")


@pytest.mark.parametrize("links", Links)
def test_write_replaces_a_link_instead_of_following_it(
    tree: SafeTree, fs: Path, links: Links
) -> None:
    (fs / "etc" / "resolv.conf").symlink_to(fs.parent / "node" / "passwd")
    tree.write("/etc/resolv.conf", b"new\n", mode=0o640, links=links)
    assert (fs / "etc" / "resolv.conf").read_bytes() == b"new\n"
    assert not (fs / "etc" / "resolv.conf").is_symlink()
    assert stat.S_IMODE((fs / "etc" / "resolv.conf").stat().st_mode) == 0o640
    assert (fs.parent / "node" / "passwd").read_bytes() == SECRET


def test_a_file_that_is_as_it_shall_be_is_left_alone(tree: SafeTree, fs: Path) -> None:
    path = fs / "etc" / "hostname"
    tree.write("/etc/hostname", b"web\n")
    first = path.stat()
    tree.write("/etc/hostname", b"web\n")
    assert path.stat().st_ino == first.st_ino
    path.chmod(0o666)  # it is not, any more
    tree.write("/etc/hostname", b"web\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    os.link(path, fs / "etc" / "passwd-")  # nor with another name, by which it may be changed
    tree.write("/etc/hostname", b"web\n")
    assert path.stat().st_nlink == 1


def test_a_write_that_fails_leaves_the_old_file_and_no_temporary(tree: SafeTree, fs: Path) -> None:
    (fs / "etc" / "hostname").mkdir()
    with pytest.raises(BadTree, match="/etc/hostname in the container is a directory, not a file"):
        tree.write("/etc/hostname", b"web\n")
    with pytest.raises(Missing, match="/srv in the container is missing"):
        tree.write("/srv/file", b"")
    assert sorted(path.name for path in (fs / "etc").iterdir()) == ["hostname", "passwd"]


def test_mkdir_makes_what_is_missing_and_keeps_what_exists(tree: SafeTree, fs: Path) -> None:
    (fs / "root").mkdir(mode=0o750)
    tree.mkdir("/root/.ssh/deep", mode=0o700)
    tree.mkdir("/root/.ssh/deep", mode=0o755)
    assert stat.S_IMODE((fs / "root").stat().st_mode) == 0o750
    assert stat.S_IMODE((fs / "root/.ssh/deep").stat().st_mode) == 0o700
    with pytest.raises(BadTree, match="/etc/passwd in the container is a file, not a directory"):
        tree.mkdir("/etc/passwd")
    (fs / "var").symlink_to("nowhere")
    with pytest.raises(BadTree, match="/var in the container is there, but leads nowhere"):
        tree.mkdir("/var/lib")


def test_remove_takes_files_and_links_but_no_directories(tree: SafeTree, fs: Path) -> None:
    (fs / "etc" / "link").symlink_to(fs.parent / "node" / "passwd")
    assert tree.remove("/etc/link")
    assert not tree.remove("/etc/link")
    with pytest.raises(BadTree, match="is a directory"):
        tree.remove("/etc")
    with pytest.raises(BadValue):
        tree.remove("/")
    assert (fs.parent / "node" / "passwd").read_bytes() == SECRET


def test_listdir_says_the_names(tree: SafeTree, fs: Path) -> None:
    (fs / "etc" / "hosts").touch()
    assert tree.listdir("/etc") == ["hosts", "passwd"]
    assert tree.listdir("/") == ["etc"]


def test_a_directory_with_very_many_names_is_an_error(tree: SafeTree, fs: Path) -> None:
    for number in range(10_001):
        os.close(os.open(fs / "etc" / f"{number}", os.O_CREAT | os.O_WRONLY))
    with pytest.raises(BadTree, match="/etc in the container has too many files"):
        tree.listdir("/etc")


def test_below_a_home_links_lead_no_further_up_than_the_home(tree: SafeTree, fs: Path) -> None:
    (fs / "home" / "bob").mkdir(parents=True)
    (fs / "home" / "bob" / ".ssh").symlink_to("../../etc")
    with tree.at("/home/bob") as home:
        with pytest.raises(BadTree, match=r"/home/bob/.ssh/passwd in the container is missing\.$"):
            home.read(".ssh/passwd", links=Links.INSIDE)
        with pytest.raises(BadTree, match=r"/home/bob/.ssh in the container is a link"):
            home.write(".ssh/authorized_keys", b"", links=Links.NONE)


@root_only
def test_ids_are_the_containers_and_shifted_on_disk(fs: Path, locate: Locate) -> None:
    with SafeTree(fs, base=200000, locate=locate) as tree:
        tree.mkdir("/home/alice", uid=1000, gid=100)
        tree.write("/home/alice/x", b"", uid=1000, gid=100)
        seen = (fs / "home" / "alice" / "x").stat()
        assert (seen.st_uid, seen.st_gid) == (201000, 200100)
        assert (fs / "home" / "alice").stat().st_uid == 201000
        entry = tree.look("/home/alice/x")
        assert entry
        assert (entry.kind, entry.uid, entry.gid) == (Kind.FILE, 1000, 100)
        foreign = tree.look("/etc/passwd")
        assert foreign
        assert foreign.uid == 65534
        for bad in (-1, 65536):
            with pytest.raises(BadValue, match="No id of the container's"):
                tree.write("/etc/x", b"", uid=bad)


@pytest.fixture
def mounted(fs: Path) -> Iterator[Path]:
    """A directory of the node, bound into the tree as a mount script does."""
    (fs / "mnt").mkdir()
    mount(fs.parent / "node", fs / "mnt")
    yield fs / "mnt"
    subprocess.run(["umount", fs / "mnt"], check=True)


@root_only
def test_what_is_mounted_in_the_tree_is_left_alone_unless_asked_for(
    mounted: Path, fs: Path, locate: Locate
) -> None:
    (fs / "bent").symlink_to("/mnt")
    with SafeTree(fs, locate=locate) as tree:
        for name in ("/mnt/passwd", "/bent/passwd"):
            with pytest.raises(BadTree, match="is on another file system, mounted there"):
                tree.read(name, links=Links.INSIDE)
    with SafeTree(fs, cross=True, locate=locate) as tree:
        assert tree.read("/bent/passwd") == SECRET


@root_only
def test_a_full_disk_leaves_the_old_file_whole(fs: Path, locate: Locate) -> None:
    (fs / "small").mkdir()
    mount("tmpfs", fs / "small", "-t", "tmpfs", "-o", "size=64k")
    try:
        with SafeTree(fs / "small", locate=locate) as tree:
            tree.write("hosts", b"old")
            with pytest.raises(NoSpace, match=r"/hosts in the container could not be written"):
                tree.write("hosts", bytes(200_000))
            assert (tree.read("hosts"), tree.listdir("/")) == (b"old", ["hosts"])
    finally:
        subprocess.run(["umount", fs / "small"], check=True)


def test_a_directory_swapped_with_a_link_all_the_time_never_leads_out(
    tree: SafeTree, fs: Path
) -> None:
    """The container's root races against us; each look either sees its own file or an error."""
    (fs / "link").symlink_to(fs.parent / "node")
    (fs / "etc" / "sub").mkdir()
    outside = fs.parent / "node"
    with swapping(fs / "etc", fs / "link") as swaps:
        seen: set[bytes] = set()
        while swaps() < 10_000 or len(seen) < 2:
            for links in Links:
                try:
                    seen.add(tree.read("/etc/passwd", links=links))
                except BadTree:
                    seen.add(b"")
                with contextlib.suppress(BadTree):
                    tree.write("/etc/passwd", b"root:x:0:0\n", links=links)
                with contextlib.suppress(BadTree):
                    tree.mkdir("/etc/made", links=links)
                with contextlib.suppress(BadTree):
                    tree.remove("/etc/gone", links=links)
    assert seen == {b"root:x:0:0\n", b""}
    assert [path.name for path in outside.iterdir()] == ["passwd"]
    assert (outside / "passwd").read_bytes() == SECRET


def test_a_directory_moved_up_and_down_all_the_time_never_leads_out(
    tree: SafeTree, fs: Path
) -> None:
    """a/b/c/../../../etc with b moving: the classic way out of a tree by way of ".."."""
    (fs / "a" / "b" / "c").mkdir(parents=True)
    (fs / "flat").mkdir()
    (fs / "way").symlink_to("a/b/c/../../../../node/passwd")
    with swapping(fs / "a" / "b", fs / "flat") as swaps:
        while swaps() < 10_000:
            with pytest.raises(BadTree):
                tree.read("/way", links=Links.INSIDE)


@contextlib.contextmanager
def swapping(one: Path, other: Path) -> Iterator[Callable[[], int]]:
    """Exchange two names again and again; gives how often it was done so far."""
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    count, stop = [0], threading.Event()

    def swap() -> None:
        while not stop.is_set():
            assert rename(-100, os.fsencode(one), -100, os.fsencode(other), RENAME_EXCHANGE) == 0
            count[0] += 1

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield lambda: count[0]
    finally:
        stop.set()
        thread.join()


def mount(what: Path | str, where: Path, *options: str) -> None:
    how = options or ("--bind",)
    subprocess.run(["mount", *how, f"{what}", f"{where}"], check=True)
