"""Who may sign in to a container, and with what: its passwords and SSH keys, set from the node."""

import base64
import binascii
import contextlib
import ctypes
import hashlib
import os
import re
import secrets
import string
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from containers.node.errors import BadTrees, BadValue, BadValues, OperationError, Problem
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, SafeTree

PASSWD, SHADOW = "/etc/passwd", "/etc/shadow"
AUTHORIZED = ".ssh/authorized_keys"
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\Z")
HASH = re.compile(r"\$[A-Za-z0-9]+\$[A-Za-z0-9./$=,+-]{8,360}\Z")
SALT = string.ascii_letters + string.digits + "./"
ROUNDS = 100_000  # of SHA-512: some 25 ms for each guess, and for each sign-in
LONGEST = 256  # bytes of a password; crypt(3) takes 511
CRYPT_DATA = 256 * 1024  # struct crypt_data: 32 KiB in libxcrypt, 128 KiB in old glibc
RSA_BITS = 2048
KEY_FIELDS = {
    "ssh-ed25519": 2,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "ssh-rsa": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}

Table = list[list[bytes]]


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str


def validate_user(text: str) -> str:
    if not USER.match(text):
        raise BadValue(BadValues.NOT_A_USER, word=text)
    return text


def validate_password(text: str) -> str:
    """How good a password is, is not asked here; only whether it can be typed and kept."""
    if not text:
        raise BadValue(BadValues.PASSWORD_EMPTY)
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise BadValue(BadValues.PASSWORD_BROKEN)
    if len(os.fsencode(text)) > LONGEST:
        raise BadValue(BadValues.PASSWORD_LONG, most=LONGEST)
    return text


def validate_hash(text: str) -> str:
    """A password as crypt(3) keeps it, $id$…; never one that opens to everybody."""
    if not HASH.match(text):
        raise BadValue(BadValues.NOT_A_HASH)
    return text


def hash_password(text: str) -> str:
    """SHA-512 ($6$): yescrypt is better, but distributions before 2021 can't read it.

    By the system's libcrypt, for Python 3.13 has no crypt module.
    """
    password = os.fsencode(validate_password(text))
    salt = "".join(secrets.choice(SALT) for _ in range(16))
    space = ctypes.create_string_buffer(CRYPT_DATA)
    hashed: bytes | None = libcrypt().crypt_r(
        password, f"$6$rounds={ROUNDS}${salt}".encode(), space
    )
    if not hashed or not hashed.startswith(b"$6$"):
        raise OperationError(Problem.NOT_HASHED)
    return validate_hash(hashed.decode())


@cache
def libcrypt() -> Any:
    for name in ("libcrypt.so.1", "libcrypt.so.2"):
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(name)
            library.crypt_r.restype = ctypes.c_char_p
            return library
    raise OperationError(Problem.PROGRAM_MISSING, program="libcrypt.so.1", package="libcrypt1")


def set_password(tree: SafeTree, user: str, hashed: str) -> None:
    """Give a user of the container another password; every other byte of the files is kept.

    The password counts as changed today: an old one may have been about to expire.
    """
    word = validate_hash(hashed).encode()
    passwd = table(tree.read(PASSWD))
    row = row_of(passwd, user)
    if not tree.kind(SHADOW):
        row[1] = word
        return rewrite(tree, PASSWD, passwd)
    shadow = table(tree.read(SHADOW))
    entry = next((found for found in shadow if found[0] == user.encode()), None)
    if entry is None:
        append(shadow, shadow_row(user.encode(), word))
    else:
        entry[1:] = [word, today(), *entry[3:], *[b""] * (9 - max(3, len(entry)))]
    rewrite(tree, SHADOW, shadow)
    if row[1] != b"x":  # else the one in passwd would count, not shadow's
        row[1] = b"x"
        rewrite(tree, PASSWD, passwd)
    return None


def validate_key(text: str) -> str:
    """An OpenSSH public key: type, base64, comment. Returns it with single spaces."""
    text = text.strip().replace("\t", " ")
    if "PRIVATE KEY" in text:
        raise BadValue(BadValues.KEY_PRIVATE)
    if not text.isprintable():
        raise BadValue(BadValues.KEY_LINES)
    words = text.split(None, 2)
    if len(words) < 2 or words[0] not in KEY_FIELDS:
        if set(text.split()[1:]) & set(KEY_FIELDS):
            raise BadValue(BadValues.KEY_OPTIONS)
        raise BadValue(BadValues.NOT_A_KEY)
    kind, fields = words[0], key_fields(blob(text))
    if len(fields) != KEY_FIELDS[kind] or fields[0] != kind.encode():
        raise BadValue(BadValues.KEY_DAMAGED, kind=kind)
    if kind == "ssh-rsa" and int.from_bytes(fields[2]).bit_length() < RSA_BITS:
        raise BadValue(BadValues.RSA_TOO_SHORT, bits=RSA_BITS)
    return " ".join(words)


def fingerprint(key: str) -> str:
    """As ssh-keygen -l prints it: SHA256:…"""
    digest = hashlib.sha256(blob(key)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def blob(key: str) -> bytes:
    words = key.split()
    try:
        return base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError, binascii.Error) as e:
        raise BadValue(BadValues.KEY_DAMAGED, kind="SSH") from e


def key_fields(data: bytes) -> list[bytes]:
    """The strings an SSH key is made of, each behind its length (RFC 4251, 5); [] when damaged."""
    fields = []
    while data:
        end = 4 + int.from_bytes(data[:4])
        if len(data) < end:
            return []
        fields.append(data[4:end])
        data = data[end:]
    return fields


def add_key(tree: SafeTree, user: str, key: str) -> bool:
    """Let the holder of a key sign in as that user; False when the key was there already."""
    return add_lines(tree, user, validate_key(key).encode())


def add_lines(tree: SafeTree, user: str, lines: bytes) -> bool:
    """Add to a user's authorized_keys what isn't there yet; False when nothing was to add."""
    with home_of(tree, user, make=True) as (account, home):
        old = authorized(home)
        there = set().union(*map(blobs, old.split(b"\n")))
        new = [line for line in lines.split(b"\n") if blobs(line) - there]
        if new:
            old += b"\n" if old and not old.endswith(b"\n") else b""
            authorize(home, account, old + b"".join(line + b"\n" for line in new))
    return bool(new)


def blobs(line: bytes) -> set[bytes]:
    """The key in a line of authorized_keys, behind options or not; base64 of a length begins so."""
    return set() if line.startswith(b"#") else {w for w in line.split() if w.startswith(b"AAAA")}


def set_keys(tree: SafeTree, user: str, keys: Iterable[str]) -> None:
    """Let the holders of these keys sign in as that user, and of no others."""
    unique = {key.split()[1]: key for key in map(validate_key, keys)}
    with home_of(tree, user, make=True) as (account, home):
        authorize(home, account, "".join(f"{key}\n" for key in unique.values()).encode())


def read_keys(tree: SafeTree, user: str) -> bytes:
    """The user's authorized_keys as it is."""
    with home_of(tree, user) as (_, home):
        return authorized(home)


@contextlib.contextmanager
def home_of(tree: SafeTree, user: str, *, make: bool = False) -> Iterator[tuple[Account, SafeTree]]:
    """A user's home as a tree of its own.

    The user may link .ssh to root's: below a home no link is followed.
    """
    account = account_of(tree, user)
    if make and account.uid == 0:
        tree.mkdir(account.home, 0o700)
    with tree.at(account.home) as home:
        yield account, home


def account_of(tree: SafeTree, user: str) -> Account:
    row = row_of(table(tree.read(PASSWD)), user)
    if len(row) != 7 or not all(number(field) and int(field) < tree.size for field in row[2:4]):
        raise BadTree(BadTrees.DAMAGED_LINE, path=PASSWD, user=user)
    return Account(user, int(row[2]), int(row[3]), os.fsdecode(row[5]))


def authorized(home: SafeTree) -> bytes:
    if not home.kind(".ssh", Links.NONE) or not home.kind(AUTHORIZED, Links.NONE):
        return b""
    return home.read(AUTHORIZED, links=Links.NONE)


def authorize(home: SafeTree, account: Account, keys: bytes) -> None:
    """sshd reads the file only if nobody but its user can write it or its directory."""
    home.mkdir(".ssh", 0o700, account.uid, account.gid, links=Links.NONE)
    found = home.look(".ssh", Links.NONE)
    if found and found.uid != account.uid:
        raise BadTree(BadTrees.OF_ANOTHER, path=home.named(".ssh"))
    home.chmod(".ssh", 0o700, links=Links.NONE)
    home.write(AUTHORIZED, keys, 0o600, account.uid, account.gid, links=Links.NONE)


def table(content: bytes) -> Table:
    """The rows of passwd, shadow, group or gshadow; odd ones and the last, empty one included."""
    return [line.split(b":") for line in content.split(b"\n")]


def row_of(passwd: Table, user: str) -> list[bytes]:
    for row in passwd:
        if row[0] == validate_user(user).encode() and len(row) > 1:
            return row
    raise BadValue(BadValues.NO_SUCH_USER, user=user)


def append(rows: Table, row: list[bytes]) -> None:
    if rows[-1] == [b""]:
        rows.pop()
    rows += [row, [b""]]


def shadow_row(name: bytes, word: bytes) -> list[bytes]:
    return [name, word, today(), b"0", b"99999", b"7", b"", b"", b""]


def today() -> bytes:
    """Days since 1970, as shadow(5) counts them."""
    return b"%d" % (time.time() // 86400)


def number(field: bytes) -> bool:
    return field.isdigit() and len(field) <= 10


def rewrite(tree: SafeTree, path: str, rows: Table) -> None:
    """Put changed rows in a file's place; it stays root's, its mode and group are kept."""
    entry = tree.look(path)
    mode, gid = (entry.mode & 0o777, entry.gid) if entry else (0o600, 0)
    tree.write(path, b"\n".join(b":".join(row) for row in rows), mode, 0, gid)
