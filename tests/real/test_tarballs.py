"""Tarballs of root file systems, well meant and hostile, unpacked as root."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import struct
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import BadValue, Cancelled, NoSpace, OperationError
from containers.node.processes.run import call
from containers.node.storage import Storage
from containers.node.templates import catalogue, inspection
from containers.node.templates.catalogue import Build
from containers.node.templates.shift import Shift, Unfit
from containers.node.templates.tarball import unpack

BASE = 200000
SECRET = "the node's own"
NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755
    for key, value in more.items():
        setattr(info, key, value)
    return info


FOLDER, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
SYSTEM = [
    entry("./", FOLDER), entry("./etc/", FOLDER), entry("./bin/", FOLDER), entry("./sbin", FOLDER),
    entry("./bin/sh"), entry("./sbin/init"), entry("./etc/mtab", LINK, linkname="/proc/mounts"),
]  # fmt: skip


@pytest.fixture
def build(node_conf: NodeConf, storage: Storage) -> Iterator[Build]:
    build = Build(node_conf, "imported", uuid.uuid4().hex[:8])
    catalogue.begin(build, storage)
    yield build
    catalogue.discard(build, storage)
    assert not build.path.exists()


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Write an archive of these entries, each file with its own name as content."""

    def pack(entries: list[tarfile.TarInfo], name: str = "a.tar") -> Path:
        with tarfile.open(tmp_path / name, "w", format=tarfile.PAX_FORMAT) as tar:
            for each in entries:
                text = each.name.encode() if each.type == tarfile.REGTYPE else b""
                each.size = len(text)
                tar.addfile(each, io.BytesIO(text))
        return tmp_path / name

    return pack


Pack = Callable[..., Path]
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
}


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_root_file_system_becomes_a_template(
    build: Build, storage: Storage, packed: Pack, kind: str
) -> None:
    archive = packed(SYSTEM)
    archive.write_bytes(COMPRESSIONS[kind](archive.read_bytes()))
    unpacked = unpack(archive, build.fs)
    assert unpacked.files == len(SYSTEM)
    template = catalogue.publish(
        build, storage, inspection.facts(build.fs, Shift(0).tree(build.fs))
    )
    try:
        assert (template.fs / "bin/sh").read_text() == "./bin/sh"
        assert (template.fs / "bin/sh").stat().st_uid == 0
        assert os.readlink(template.fs / "etc/mtab") == "/proc/mounts"
        assert template.facts.init == "other"
    finally:
        catalogue.remove(build.conf, storage, template, set())


@pytest.mark.skipif(not shutil.which("zstd"), reason="zstd is not installed")
def test_a_zstd_archive_is_unpacked_too(build: Build, packed: Pack) -> None:
    archive = packed(SYSTEM)
    call(["zstd", "--quiet", f"{archive}"])
    unpack(archive.with_suffix(".tar.zst"), build.fs)
    assert (build.fs / "etc").is_dir()
    assert not (build.path / "unzipped.tar").exists()


def test_owners_modes_times_and_capabilities_are_kept(build: Build, packed: Pack) -> None:
    text = NET_RAW.decode("utf-8", "surrogateescape")
    unpack(packed([
        entry("bin", FOLDER, mode=0o2775, uid=0, gid=50, mtime=1_000_000_000),
        entry("bin/su", mode=0o4755, uid=0, gid=33, mtime=1_000_000_001),
        entry("bin/ping", pax_headers={"SCHILY.xattr.security.capability": text}),
        entry("bin/old", HARD, linkname="bin/su"),
    ]), build.fs)  # fmt: skip
    Shift(BASE).tree(build.fs)
    su, folder = (build.fs / "bin/su").stat(), (build.fs / "bin").stat()
    assert (stat.S_IMODE(su.st_mode), su.st_uid, su.st_gid) == (0o4755, BASE, BASE + 33)
    assert (stat.S_IMODE(folder.st_mode), folder.st_gid) == (0o2775, BASE + 50)
    assert (su.st_mtime, folder.st_mtime) == (1_000_000_001, 1_000_000_000)
    assert su.st_nlink == 2
    assert os.getxattr(build.fs / "bin/ping", "security.capability")[20:] == struct.pack("<I", BASE)


def test_a_system_inside_one_directory_of_the_archive_is_found(build: Build, packed: Pack) -> None:
    system = [entry(f"rootfs/{e.name}", e.type, linkname=e.linkname) for e in SYSTEM]
    unpack(packed([*system, entry("rootfs/rootfs", FOLDER)]), build.fs)
    inspection.check(build.fs)
    assert sorted(os.listdir(build.fs)) == ["bin", "etc", "rootfs", "sbin"]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "passwd").write_text(SECRET)
    yield folder
    assert os.listdir(folder) == ["passwd"]
    assert (folder / "passwd").read_text() == SECRET
    assert (folder / "passwd").stat().st_nlink == 1
    assert stat.S_IMODE((folder / "passwd").stat().st_mode) == 0o644


CHR, BLK = tarfile.CHRTYPE, tarfile.BLKTYPE
HOSTILE = [
    ("a .. in its path", [entry("../passwd")]),
    ("a .. in its path", [entry("etc/../../passwd")]),
    ("absolute path", [entry("{outside}/passwd")]),
    ("absolute path", [entry("etc/x", HARD, linkname="{outside}/passwd")]),
    ("a .. in its path", [entry("etc/x", HARD, linkname="../../../passwd")]),
    ("lies below a link", [entry("x", LINK, linkname="{outside}"), entry("x/passwd")]),
    ("lies below a link", [entry("x", LINK, linkname="{outside}"), entry("x/new", FOLDER)]),
    ("lies below a link", [entry("x", LINK, linkname="{outside}"), entry("x/d/new")]),
    ("lies below a link", [entry("x", LINK, linkname="{outside}"),
                           entry("y", HARD, linkname="x/passwd")]),
    ("twice", [entry("x", LINK, linkname="{outside}"), entry("x", FOLDER, mode=0o777)]),
    ("twice", [entry("x", FOLDER), entry("x/y"), entry("x", LINK, linkname="{outside}")]),
    ("device node", [entry("root/sda", BLK, devmajor=8, devminor=0)]),
    ("device node", [entry("dev/kvm", CHR, devmajor=200, devminor=3)]),
    ("belongs to id", [entry("etc/x", uid=70000)]),
    ("belongs to id", [entry("etc/x", gid=-1)]),
    ("hard link", [entry("etc/x", HARD, linkname="etc/none")]),
    ("below something", [entry("etc"), entry("etc/x")]),
    ("of a kind", [entry("x", b"Z")]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "entries"), HOSTILE)
def test_an_archive_that_reaches_out_is_refused_by_name_and_reaches_nothing(
    build: Build, packed: Pack, outside: Path, said: str, entries: list[tarfile.TarInfo]
) -> None:
    for each in entries:
        each.name = each.name.format(outside=outside)
        each.linkname = each.linkname.format(outside=outside)
    if said == "of a kind":  # written as a file, since tarfile knows no such kind
        entries[0].size = 0
    with pytest.raises(Unfit, match=said) as caught:
        unpack(packed(entries), build.fs)
    assert entries[-1].name.rstrip("/") in f"{caught.value}"


def test_a_link_that_leads_out_is_replaced_not_written_through(
    build: Build, packed: Pack, outside: Path
) -> None:
    unpack(packed([entry("x", LINK, linkname=f"{outside}/passwd"), entry("x")]), build.fs)
    assert (build.fs / "x").read_text() == "x"
    assert not (build.fs / "x").is_symlink()


def test_the_usual_device_nodes_and_fifos_are_left_out(build: Build, packed: Pack) -> None:
    unpacked = unpack(packed([
        *SYSTEM,
        entry("./dev/null", CHR, devmajor=1, devminor=3),
        entry("./dev/ram0", BLK, devmajor=1, devminor=0),
        entry("./dev/initctl", tarfile.FIFOTYPE),
    ]), build.fs)  # fmt: skip
    assert unpacked.left_out == ["dev/null", "dev/ram0", "dev/initctl"]
    assert not (build.fs / "dev").exists()


@pytest.mark.parametrize(
    ("said", "spoil"),
    [
        ("damaged", lambda data: gzip.compress(data)[:-40]),
        ("damaged", lambda data: b"\x1f\x8b" + os.urandom(4000)),
        ("damaged", lambda data: data[:1024] + b"\xff" * 512 + data[1536:]),
        ("damaged", lambda data: b"no archive at all " * 100),
        ("damaged", lambda data: lzma.compress(data)[:-20]),
        ("damaged|ends", lambda data: data[: data.index(b"./sbin/init") + 512]),
    ],
)
def test_a_damaged_archive_is_not_taken_for_a_whole_one(
    build: Build, packed: Pack, said: str, spoil: Callable[[bytes], bytes]
) -> None:
    archive = packed(SYSTEM)
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(Unfit, match=said):
        unpack(archive, build.fs)


def test_what_is_no_file_or_no_system_is_refused(
    build: Build, packed: Pack, tmp_path: Path
) -> None:
    for path in (tmp_path / "none.tar", tmp_path, Path("/dev/zero")):
        with pytest.raises(BadValue):
            unpack(path, build.fs)
    unpack(packed([entry("docs", FOLDER), entry("docs/readme")]), build.fs)
    with pytest.raises(OperationError, match="no root file system"):
        inspection.check(build.fs)


def test_a_header_that_would_fill_the_memory_is_refused(build: Build, tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 5 << 30
    archive = tmp_path / "a.tar"
    with archive.open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(6 << 30)
    with pytest.raises(Unfit, match="longer than 1 MiB"):
        unpack(archive, build.fs)


def test_an_archive_larger_than_the_disk_is_an_error_one_can_read(
    build: Build, storage: Storage, tmp_path: Path
) -> None:
    call(storage.limit(build.fs, 8 << 20))
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(entry("big", size=20 << 20), io.BytesIO(os.urandom(20 << 20)))
    with pytest.raises(NoSpace, match="is full"):
        unpack(archive, build.fs)


def test_unpacking_ends_when_it_is_told_to(build: Build, packed: Pack) -> None:
    def tick(files: int, taken: int) -> None:
        if files == 3:
            raise Cancelled()

    with pytest.raises(OperationError, match="cancelled"):
        unpack(packed(SYSTEM), build.fs, tick)
    assert not (build.fs / "sbin").exists()
