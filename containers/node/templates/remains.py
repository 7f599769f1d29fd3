"""What of people stays in a system that becomes a template: in groups, found and taken away.

The tree is one that a container's root has shaped: paths lead nowhere but into it, a directory
that should be cleaned and is a link is refused, and what is shown of names is printable.
"""

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from containers.node.errors import BadTrees
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, Kind, Missing, SafeTree
from containers.node.trees.sweep import empty, sweep

MOST = 10_000  # files of a group that are counted
SHOWN = 5  # of them by their paths
LONGEST = 200  # letters of a path that is shown
DEEPEST = 20  # directories that are gone into for counting
HOMES = 200  # that are looked into
SHADOWS = "/etc/shadow", "/etc/gshadow", "/etc/passwd"
BACKUPS = "/etc/shadow-", "/etc/gshadow-", "/etc/passwd-", "/etc/security/opasswd"
NO_PASSWORD = {b"*", b"!", b"!!", b"!*", b"x"}
SKELETON = ".bashrc", ".profile"  # that root gets anew


@dataclass(frozen=True)
class Found:
    """count: of files, or accounts; MOST stands for that many or more. paths: some of them."""

    group: str
    count: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A directory whose content goes; names: or only what is called like that in it.

    folders: levels of directories in it that stay, since programs expect them.
    """

    path: str
    names: str = ""
    folders: int = 0


@dataclass(frozen=True)
class Group:
    """word: on the command line; title: on a page. default: whether it is cleaned unasked."""

    word: str
    title: str
    places: tuple[Place, ...] = ()
    at_home: str = ""  # what goes in each home directory, by name
    default: bool = True

    def look(self, tree: SafeTree) -> Found:
        found = itertools.islice(self.found(tree), MOST)
        first = tuple(shown(path) for path in itertools.islice(found, SHOWN))
        return Found(self.word, len(first) + sum(1 for _ in found), first)

    def found(self, tree: SafeTree) -> Iterator[str]:
        places = self.all_places(tree)
        for place in places:
            if place.names:
                for name in names_in(tree, place):
                    yield from below(tree, f"{place.path}/{name}")
            elif not leads_to(tree, place, places):
                yield from below(tree, place.path)

    def clean(self, tree: SafeTree, say: Callable[[str], None]) -> None:
        places = self.all_places(tree)
        for place in places:
            kind = kind_of(tree, place.path)
            if place.names:
                for name in names_in(tree, place):
                    take_away(tree, f"{place.path}/{name}", say)
            elif kind is Kind.DIRECTORY:
                empty(tree, place.path, folders=place.folders)
            elif kind and not leads_to(tree, place, places):
                raise BadTree(
                    BadTrees.OTHER_KIND, path=place.path, found=kind, wanted=Kind.DIRECTORY
                )

    def all_places(self, tree: SafeTree) -> list[Place]:
        at_home = [Place(home, self.at_home) for home in homes(tree)] if self.at_home else []
        return [*self.places, *at_home]


class Passwords(Group):
    """Not files: fields in them, which are locked. Copies of the files go."""

    def found(self, tree: SafeTree) -> Iterator[str]:
        for path in SHADOWS:
            try:
                old = lines(tree, path)
            except BadTree:  # cleaning says what is wrong with it
                yield path
                continue
            for line in filter(has_password, old):
                yield f"{path}: {line.split(b':')[0].decode(errors='replace')}"
        yield from (path for path in BACKUPS if kind_of(tree, path))

    def clean(self, tree: SafeTree, say: Callable[[str], None]) -> None:
        for path in SHADOWS:
            entry, old = tree.look(path), lines(tree, path)
            if entry and any(map(has_password, old)):
                text = b"\n".join(locked(line) if has_password(line) else line for line in old)
                tree.write(path, text, mode=entry.mode, uid=entry.uid, gid=entry.gid)
        for path in BACKUPS:
            take_away(tree, path, say)


class Root(Group):
    def clean(self, tree: SafeTree, say: Callable[[str], None]) -> None:
        super().clean(tree, say)
        for name in SKELETON if kind_of(tree, "/root") is Kind.DIRECTORY else ():
            if kind_of(tree, f"/etc/skel/{name}") is Kind.FILE:
                tree.write(f"/root/{name}", tree.read(f"/etc/skel/{name}"))


POSTFIX = ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "maildrop")
GROUPS = (
    Passwords("passwords", "Passwords of its users"),
    Group("keys", "SSH keys and saved credentials", at_home=(
        r"\.(ssh|gnupg|aws|azure|kube|docker|netrc|git-credentials|pgpass|my\.cnf|npmrc|pypirc)"
    )),
    Group("histories", "What was typed and viewed", at_home=(
        r"\.(.*_history|.*_hist|history|lesshst|viminfo|wget-hsts|cache|recently-used.*)"
    )),
    Root("root", "Everything in /root", (Place("/root"),)),
    Group("leases", "Leases, and what one machine was given", (
        Place("/var/lib/dhcp"), Place("/var/lib/dhclient"), Place("/var/lib/dhcpcd"),
        Place("/var/lib/NetworkManager", r".*\.leases?|secret_key|seen-bssids"),
        Place("/var/lib/systemd", "random-seed|credential\\.secret"), Place("/var/lib/cloud"),
    )),
    Group("mail", "Mail", (
        Place("/var/mail"), Place("/var/spool/mail"), Place("/var/spool/mqueue"),
        Place("/var/spool/exim4/input", folders=2), Place("/var/spool/exim4/msglog", folders=2),
        *(Place(f"/var/spool/postfix/{name}", folders=2) for name in POSTFIX),
    )),
    Group("logs", "Logs", (Place("/var/log", folders=10),)),
    Group("temporary", "Temporary files", (Place("/tmp"), Place("/var/tmp"))),  # noqa: S108
    Group("homes", "Everything in /home", (Place("/home", folders=1),), default=False),
)  # fmt: skip
BY_WORD = {group.word: group for group in GROUPS}
DEFAULT = [group.word for group in GROUPS if group.default]


def look(tree: SafeTree) -> list[Found]:
    """What is there, without the groups of which there is nothing."""
    return [found for group in GROUPS if (found := group.look(tree)).count]


def clean(tree: SafeTree, words: Collection[str], say: Callable[[str], None]) -> None:
    """Take these groups away. say: gets a sentence for each, and for what stays."""
    for group in GROUPS:
        found = group.look(tree)
        if group.word in words:
            group.clean(tree, say)
        if found.count:
            verb = "Removed" if group.word in words else "Stays in it"
            say(f"{verb}: {group.title[:1].lower()}{group.title[1:]}: {told(found)}")


def told(found: Found) -> str:
    """14: /root/a, /root/b …"""
    count = f"{found.count}{' or more' if found.count >= MOST else ''}"
    return f"{count} ({', '.join(found.paths)}{' …' if found.count > len(found.paths) else ''})"


def take_away(tree: SafeTree, path: str, say: Callable[[str], None]) -> None:
    kind = kind_of(tree, path)
    if kind is Kind.DIRECTORY:
        sweep(tree, path)
    elif kind:
        tree.remove(path)
    if kind is Kind.LINK:
        say(f"{shown(path)} was a link: what it led to stays.")


def leads_to(tree: SafeTree, place: Place, places: list[Place]) -> bool:
    """Whether it is a link to another of these places, which has its own turn; or to nowhere."""
    if kind_of(tree, place.path) is not Kind.LINK:
        return False
    there = number_of(tree, place.path, Links.INSIDE)
    return not there or there in [number_of(tree, p.path, Links.ON_THE_WAY) for p in places]


def number_of(tree: SafeTree, path: str, links: Links) -> int:
    """The inode of a directory; 0 for none."""
    try:
        with tree.found(path, links, Kind.DIRECTORY) as fd:
            return os.fstat(fd).st_ino
    except BadTree:
        return 0


def kind_of(tree: SafeTree, path: str) -> Kind | None:
    """None also where a file or a ring of links stands in the way: then nothing is there."""
    try:
        return tree.kind(path)
    except BadTree:
        return None


def names_in(tree: SafeTree, place: Place) -> list[str]:
    """Those that are meant. Raises BadTree for a directory with too many to look through."""
    if number_of(tree, place.path, Links.INSIDE) == 0:
        return []
    names = tree.listdir(place.path)
    return [name for name in names if re.fullmatch(place.names, name)]


def below(tree: SafeTree, path: str, depth: int = 0) -> Iterator[str]:
    """Every file at or below a path. A directory far down counts as one, one that has too many
    names to look through as MOST."""
    kind = kind_of(tree, path)
    if kind is not Kind.DIRECTORY or depth > DEEPEST:
        yield from [path] if kind else []
        return
    try:
        names = tree.listdir(path, Links.ON_THE_WAY)
    except BadTree:
        yield from itertools.repeat(path, MOST)
        return
    for name in names:
        yield from below(tree, f"{path}/{name}", depth + 1)


def homes(tree: SafeTree) -> list[str]:
    """/root, those in /home, and those that its accounts name."""
    found = ["/root"]
    with contextlib.suppress(BadTree):
        found += [f"/home/{name}" for name in tree.listdir("/home")]
    with contextlib.suppress(BadTree):
        for line in lines(tree, "/etc/passwd"):
            fields = line.split(b":")
            home = os.fsdecode(fields[5]) if len(fields) > 5 else ""
            if home.startswith("/") and home.strip("/") and ".." not in home.split("/"):
                found.append(home.rstrip("/"))
    return list(dict.fromkeys(found))[:HOMES]


def lines(tree: SafeTree, path: str) -> list[bytes]:
    """Of a file; [] when there is none. Raises BadTree for a link."""
    try:
        return tree.read(path).split(b"\n")
    except Missing:
        return []


def has_password(line: bytes) -> bool:
    """Whether a line of an account has a hash, or lets anybody in without."""
    fields = line.split(b":")
    return len(fields) > 1 and fields[1] not in NO_PASSWORD


def locked(line: bytes) -> bytes:
    fields = line.split(b":")
    return b":".join([fields[0], b"!", *fields[2:]])


def shown(path: str) -> str:
    """As it can be told: names are whatever the container's root has chosen."""
    clean = "".join(char if char.isprintable() else "?" for char in path)
    return clean if len(clean) <= LONGEST else f"{clean[:LONGEST]}…"
