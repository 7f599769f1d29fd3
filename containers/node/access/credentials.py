"""What a reinstalled container keeps of its old system's users, groups, passwords and keys.

The rule is that of vzctl's reinstall: a user of the same name and id keeps password, full name,
home and shell; where the ids differ the new system's user stays as it is; users and groups that
only the old system has are added, and rows without a number as their id are lost. Beyond vzctl:
an old system user or group (id below 1000) isn't added when its id is another's now, a shell that
the new system lacks isn't taken over, shadow files are kept in step, root's keys are kept.
"""

import re

from containers.node.access.accounts import (
    PASSWD,
    SHADOW,
    Table,
    add_lines,
    append,
    number,
    read_keys,
    rewrite,
    shadow_row,
    table,
)
from containers.node.errors import BadValue
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, Kind, SafeTree
from containers.node.wording import clause

GROUP, GSHADOW = "/etc/group", "/etc/gshadow"
FIELDS = {PASSWD: 7, SHADOW: 9, GROUP: 4, GSHADOW: 4}
NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?\Z")
PERSONS = 1000  # the first id that isn't the system's own

Rows = dict[bytes, list[bytes]]
Files = dict[str, Table]


def merge_credentials(old: SafeTree, new: SafeTree) -> list[str]:
    """Take the old system's credentials over; returns sentences about what was not.

    Everything is read and decided before the first file is written, each of them whole. Raises
    BadTree when a file of either system can't be read, Missing when one has no passwd.
    """
    before, after = {PASSWD: table(old.read(PASSWD))} | read(old), read(new)
    after[PASSWD] = table(new.read(PASSWD))
    untouched = {path: [list(row) for row in rows] for path, rows in after.items()}
    notes: list[str] = []
    kept = merge_users(before, after, new, notes)
    merge_passwords(before, after, kept)
    merge_groups(before, after, notes)
    for path, rows in after.items():
        if rows != untouched[path]:
            rewrite(new, path, rows)
    merge_keys(old, new, notes)
    return notes


def read(tree: SafeTree) -> Files:
    """The files there are beside passwd."""
    return {path: table(tree.read(path)) for path in (SHADOW, GROUP, GSHADOW) if tree.kind(path)}


def merge_users(before: Files, after: Files, new: SafeTree, notes: list[str]) -> list[bytes]:
    """Returns the names of the users whose password is to be the old one."""
    mine, kept = sound(after, PASSWD), []
    names = {int(row[2]): name for name, row in reversed(mine.items())}
    for name, (_, word, uid, gid, full_name, home, shell) in sound(before, PASSWD).items():
        row, owner = mine.get(name), names.get(int(uid))
        if row and int(row[2]) != int(uid):
            notes.append(f"user {text(name)} is the new system's: its id was another")
            continue
        if not row and owner and int(uid) < PERSONS:
            notes.append(f"user {text(name)} was not taken over: its id is {text(owner)}'s now")
            continue
        if not usable(new, shell):
            notes.append(f"user {text(name)} gets another shell: there's no {text(shell)} now")
            shell = row[6] if row else b"/bin/sh"
        if row:
            row[1], row[4:7] = word, [full_name, home, shell]
        else:
            append(after[PASSWD], [name, word, uid, gid, full_name, home, shell])
        kept.append(name)
    return kept


def merge_passwords(before: Files, after: Files, kept: list[bytes]) -> None:
    """A password goes where the new system keeps them: in shadow, or in passwd if it has none."""
    secrets, users = sound(before, SHADOW), sound(after, PASSWD)
    mine = sound(after, SHADOW)
    for name in kept:
        word = users[name][1]
        if word != b"x":
            secret = shadow_row(name, word)
        else:
            secret = secrets.get(name) or mine.get(name) or shadow_row(name, b"!")
        if SHADOW not in after:
            users[name][1] = secret[1]
            continue
        users[name][1] = b"x"
        if name in mine:
            mine[name][:] = secret
        else:
            append(after[SHADOW], list(secret))


def merge_groups(before: Files, after: Files, notes: list[str]) -> None:
    mine, users = sound(after, GROUP), sound(after, PASSWD)
    hidden, old_hidden = sound(after, GSHADOW), sound(before, GSHADOW)
    names = {int(row[2]): name for name, row in reversed(mine.items())}
    for name, (_, word, gid, listed) in sound(before, GROUP).items():
        members = [member for member in listed.split(b",") if member in users]
        row, owner = mine.get(name), names.get(int(gid))
        if row and int(row[2]) != int(gid):
            notes.append(f"group {text(name)} is the new system's: its id was another")
        elif row:
            for found in filter(None, (row, hidden.get(name))):
                found[3] = join(found[3], members)
        elif owner and int(gid) < PERSONS:
            notes.append(f"group {text(name)} was not taken over: its id is {text(owner)}'s now")
        elif GROUP in after:
            append(after[GROUP], [name, word, gid, join(b"", members)])
            if GSHADOW in after:
                _, secret, admins, _ = old_hidden.get(name, [name, b"!", b"", b""])
                append(after[GSHADOW], [name, secret, admins, join(b"", members)])


def merge_keys(old: SafeTree, new: SafeTree, notes: list[str]) -> None:
    try:
        if keys := read_keys(old, "root"):
            add_lines(new, "root", keys)
    except (BadTree, BadValue) as e:
        notes.append(f"root's SSH keys were not taken over: {clause(f'{e}')}")


def sound(files: Files, path: str) -> Rows:
    """The rows of a file that are as they should be, by name; the first of a name counts."""
    rows: Rows = {}
    for row in files.get(path, []):
        whole = len(row) == FIELDS[path] and NAME.match(row[0])
        plain = not any(byte < 32 or byte == 127 for field in row for byte in field)
        if whole and plain and (path in (SHADOW, GSHADOW) or number(row[2])):
            rows.setdefault(row[0], row)
    return rows


def usable(tree: SafeTree, shell: bytes) -> bool:
    """False for a shell that isn't there, with which nobody could sign in."""
    try:
        return not shell or tree.kind(text(shell), Links.INSIDE) is Kind.FILE
    except (BadTree, BadValue):
        return False


def join(listed: bytes, members: list[bytes]) -> bytes:
    return b",".join(dict.fromkeys([*filter(None, listed.split(b",")), *members]))


def text(field: bytes) -> str:
    return field.decode(errors="backslashreplace")
