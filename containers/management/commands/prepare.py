"""Makes everything ready for the panel to run, any number of times: what is in place stays so."""

import errno
import os
import pwd
import secrets
import shutil
import stat
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from containers.models import Node
from containers.node import apparmor, capacity, ids, lxcfs, veconf
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.lines import lines_in
from containers.node.network import connections, record
from containers.node.network import prepare as network
from containers.node.network.pool import KEY as POOL
from containers.node.runtimes import DRY_RUN
from containers.node.settings import lines_of_defaults
from containers.node.storage import pool
from containers.node.templates import busybox, catalogue
from containers.worker import templates

PANEL = "panel"  # the system user of the web process
LINKS = Path("/etc/vz/vz.conf"), Path("/etc/sysconfig/vz")  # where published scripts look
HEADING = """Settings of this node, as OpenVZ has them: action scripts source this file.
Yours to edit. The panel adds what is missing and changes nothing else."""
SAMPLE = catalogue.Facts("a dry run", "busybox", "none", 0, 0, 0, "2026-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Job:
    says: str
    do: Callable[[], object]


class Command(BaseCommand):
    help = "Prepare everything the panel needs to run. You can run it again at any time."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", action="store_true", help="only show what would be done")

    def handle(self, *args: Any, plan: bool, **options: Any) -> None:
        try:
            for job in jobs(settings.NODE, planning=plan):
                if not plan:
                    job.do()
                self.stdout.write(job.says)
        except OperationError as error:
            raise CommandError(f"{error}", returncode=error.code) from error


def jobs(conf: NodeConf, *, planning: bool) -> Iterator[Job]:
    """What is to be done, each looked for when those before it are done."""
    real = settings.RUNTIME != DRY_RUN
    yield from folders(conf)
    yield from key()
    yield from vz_conf(conf, real)
    if real:
        yield from links(conf)
        yield from reservation(conf)
        if planning:
            yield from planned(conf)
        else:
            yield from up(conf)
    if planning and not database().exists():
        yield Job("make the database", lambda: None)
        return
    yield from tables()
    yield from rows(conf, real)


def folders(conf: NodeConf) -> Iterator[Job]:
    for path, mode in (
        (conf.state, 0o755),
        (settings.WEB, 0o700),
        (conf.spool, 0o700),
        (conf.run, 0o711),
        (conf.scripts, 0o755),
    ):
        if not path.is_dir():
            yield Job(f"make the folder {path}", partial(make, path, mode))


def make(path: Path, mode: int) -> None:
    path.mkdir(mode, parents=True)
    path.chmod(mode)
    if path == settings.WEB:
        hand_over(path)


def hand_over(path: Path, mode: int | None = None) -> None:
    """Root makes it, the web process uses it.

    Whoever has that process can put a link there, to a file that is to become theirs: it is left.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOENT, errno.ENXIO):
            return
        raise
    try:
        found = os.fstat(file)
        if stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
            if os.geteuid() == 0 and (user := panel()):
                os.fchown(file, user.pw_uid, user.pw_gid)
            if mode is not None:
                os.fchmod(file, mode)
    finally:
        os.close(file)


def panel() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(PANEL)
    except KeyError:
        return None


def key() -> Iterator[Job]:
    path = settings.WEB / "secret.key"
    if not path.exists():
        yield Job(f"make the secret key {path}", lambda: write_key(path))


def write_key(path: Path) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    hand_over(new)
    new.replace(path)


def vz_conf(conf: NodeConf, real: bool) -> Iterator[Job]:
    there = veconf.read(conf.vz_conf)
    missing = {k: v for k, v in wanted(conf, real).items() if k not in there}
    if missing:
        yield Job(f"write {', '.join(missing)} to {conf.vz_conf}", lambda: add(conf, missing))


def wanted(conf: NodeConf, real: bool) -> dict[str, str]:
    return {
        "VIRTUOZZO": "yes",
        "LOCKDIR": f"{conf.vz}/lock",
        "VE_ROOT": f"{conf.vz}/root/$VEID",
        "VE_PRIVATE": f"{conf.vz}/private/$VEID",
        "TEMPLATE": f"{conf.vz}/template",
        "DEF_OSTEMPLATE": "debian-12",
        "STOP_TIMEOUT": "120",
        **lines_of_defaults(capacity.measure()),
        connections.KEY: f"{connections.default()}",
        **(block(conf) if real else {}),
    }


def block(conf: NodeConf) -> dict[str, str]:
    """UID_BASE stays where it was: areas of before have their owners raised by it."""
    found = ids.chosen(conf)
    return {
        "UID_BASE": f"{found.base}",
        "UID_SIZE": f"{ids.SIZE}",
        "UID_BLOCK_BASE": f"{found.base}",
        "UID_BLOCK_SIZE": f"{found.size}",
    }


def add(conf: NodeConf, values: dict[str, str]) -> None:
    """Not veconf.render: $VEID is to be read as a variable by whoever sources this."""
    text = conf.vz_conf.read_text(errors="surrogateescape") if conf.vz_conf.exists() else ""
    if not text:
        text = "".join(f"# {line}\n" for line in lines_in(HEADING))
    elif not text.endswith("\n"):
        text += "\n"
    new = conf.vz_conf.with_suffix(".new")
    text += "".join(f'{key}="{value}"\n' for key, value in values.items())
    new.write_text(text, errors="surrogateescape")
    new.replace(conf.vz_conf)


def links(conf: NodeConf) -> Iterator[Job]:
    for place in LINKS:
        if place != conf.vz_conf and not place.exists() and not place.is_symlink():
            yield Job(f"link {place} to {conf.vz_conf}", partial(link, place, conf.vz_conf))


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def reservation(conf: NodeConf) -> Iterator[Job]:
    found = ids.chosen(conf)
    if not ids.reserved(found):
        last = found.base + found.size - 1
        yield Job(
            f"reserve the ids {found.base} to {last} in /etc/subuid and /etc/subgid, a range of"
            f" {ids.size(conf)} for each container",
            lambda: ids.reserve(found, ids.note_of(conf)),
        )


def planned(conf: NodeConf) -> Iterator[Job]:
    for sentence in [
        *pool.plan(conf), *network.plan(conf), *apparmor.plan(conf), *lxcfs.plan(conf)
    ]:  # fmt: skip
        yield Job(sentence, lambda: None)


def up(conf: NodeConf) -> Iterator[Job]:
    for sentence in [
        *pool.prepare(conf), *network.prepare(conf), *apparmor.prepare(conf), *lxcfs.prepare(conf)
    ]:  # fmt: skip
        yield Job(sentence, lambda: None)
    before = catalogue.newest(conf, busybox.NAME)
    after = busybox.publish(conf)
    if after != before:
        yield Job(f"make the template {after}", lambda: None)


def tables() -> Iterator[Job]:
    executor = MigrationExecutor(connection)
    todo = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if todo:
        yield Job(f"make the database's tables ({len(todo)} migrations)", migrate)


def migrate() -> None:
    if connection.vendor == "sqlite":
        # SQLite gives the files beside it the database's owner and mode, also when root makes them.
        for path in database().parent.glob(f"{database().name}*"):
            hand_over(path, 0o600)
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def database() -> Path:
    """The file of the database; for one that is a server, some place that is there."""
    values = connection.settings_dict
    return Path(values["NAME"]) if connection.vendor == "sqlite" else Path("/")


def rows(conf: NodeConf, real: bool) -> Iterator[Job]:
    values = {"runtime": DRY_RUN, "storage": "directory", "pool": ""}
    if real:
        storage = pool.driver(conf).name
        values = {"runtime": settings.RUNTIME, "storage": storage, "pool": addresses(conf)}
    node = Node.objects.filter(name=conf.name).first()
    if node is None or any(getattr(node, key) != value for key, value in values.items()):
        yield Job(
            f"record the node {conf.name}: {', '.join(v for v in values.values() if v)}",
            lambda: Node.objects.update_or_create(name=conf.name, defaults=values),
        )
    if not real and not catalogue.listed(conf):
        yield Job("make a template for dry runs", lambda: sample_template(conf))
    if node := Node.objects.filter(name=conf.name).first():
        templates.sync(conf, node)


def addresses(conf: NodeConf) -> str:
    """The pool to give addresses from; none where containers have no network."""
    return "" if record.load(conf).without else veconf.read(conf.vz_conf).get(POOL, "")


def sample_template(conf: NodeConf) -> None:
    path = conf.templates / f"{busybox.NAME}@1"
    shutil.rmtree(path, ignore_errors=True)
    (path / "fs").mkdir(parents=True)
    catalogue.write(path, SAMPLE)
