"""Steps of a reinstallation: the new system is built beside the old one, and takes its place.

Until EXCHANGE the old one is at fs and the new one at fs.reinstall, after it the other way round.
Which is which is written down beforehand (<private>/reinstall.json) and never guessed. While the
container is down nothing is waited for that can be done before or afterwards.
"""

import contextlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from containers.node import ids, kept
from containers.node.access import hostkeys, identity
from containers.node.access.accounts import PASSWD, SHADOW, add_key, set_password
from containers.node.access.credentials import GROUP, merge_credentials
from containers.node.actions import CONFIGURE, REINSTALL, Scope, Where
from containers.node.ct import Ct
from containers.node.draft import written_beside
from containers.node.errors import Code, OperationError, Problem
from containers.node.plan import Step, asked
from containers.node.scripts import present, run_script
from containers.node.steps.configuring import configure_in, limit_disk_of
from containers.node.steps.oldfiles import (
    copy,
    hide_old,
    keep_old,
    require_room,
    show_old,
    wants_old,
)
from containers.node.steps.owners import settle as settle_owners
from containers.node.steps.roles import forget_notes, note, noted, role_of
from containers.node.storage.removal import remove
from containers.node.templates import catalogue, inspection
from containers.node.templates.shift import Shift
from containers.node.trees.area import tree_of
from containers.node.trees.exchange import begin_to_settle, exchange, settle, trade
from containers.node.trees.safe_tree import Missing

USE_THE_DEFAULT = 128


def custom(ct: Ct) -> Scope | None:
    """Whose vps.reinstall is run: the container's own, or else the global one."""
    return next((s for s in (Scope.OWN, Scope.GLOBAL) if present(ct, s, REINSTALL)), None)


def build_by_hook(ct: Ct) -> None:
    """Exit 0: it has made the new area; 128: the default is wanted; any other: nothing changes."""
    scope = custom(ct)
    if scope is None:
        return
    paths = ct.paths
    options = ["--veid", f"{ct.ctid}", "--ve_private_tmp", f"{paths.fs_tmp}",
               "--ve_private", f"{paths.fs}"]  # fmt: skip
    try:
        code = run_script(ct, scope, REINSTALL, *options, ok=(0, USE_THE_DEFAULT))
    except OperationError as e:
        e.code = Code.CUSTOM_REINSTALL
        raise
    if code == USE_THE_DEFAULT:
        ct.say("It asks for the default reinstallation; vps.configure does not run either.")
        discard(ct)
        note(ct, configure=False)
        return
    if paths.fs_tmp.is_symlink() or not paths.fs_tmp.is_dir():
        raise OperationError(Problem.NO_NEW_AREA, scope=scope, action=REINSTALL, path=paths.fs_tmp)
    take_over(ct)


def take_over(ct: Ct) -> None:
    """Make an area of ours of what the hook left, copied without following a link.

    The owners it gave may be those of the container, or raised by UID_BASE as ve.conf has it.
    """
    made, fresh = ct.paths.fs_tmp, ct.paths.private / "fs.import"
    remove(ct.storage, fresh)
    try:
        ct.run(ct.storage.create(fresh))
        copy(ct, made, fresh)
        fresh.chmod(0o755)
        before = ids.on_disk(ct.paths.node, ct.paths.fs)
        Shift(0, before.size, source=before.base).tree(fresh)
        settle_owners(ct, fresh)
        inspection.check(fresh)
    except OperationError as e:
        remove(ct.storage, fresh)
        e.code = Code.CUSTOM_REINSTALL
        raise
    remove(ct.storage, made)
    fresh.rename(made)


def build_by_template(ct: Ct) -> None:
    template = catalogue.find(ct.paths.node, ct.params.get("template") or ct.spec.template)
    ct.run(ct.storage.snapshot(template.fs, ct.paths.fs_tmp))
    settle_owners(ct, ct.paths.fs_tmp)
    note(ct, template=f"{template}")


def discard(ct: Ct) -> None:
    """Remove the new area, never the old one."""
    if role_of(ct, ct.paths.fs_tmp) == "old":
        raise OperationError(Problem.HOLDS_OLD_SYSTEM, path=ct.paths.fs_tmp)
    remove(ct.storage, ct.paths.private / "fs.import")
    remove(ct.storage, ct.paths.fs_tmp)
    forget_notes(ct)


def identify(ct: Ct) -> None:
    """New host keys and machine id, the same name; and it is noted which area is the new one."""
    limit_disk_of(ct, ct.paths.fs_tmp)
    with tree_of(ct.paths.node, ct.paths.fs_tmp) as tree:
        identity.set_machine_id(tree)
        take = partial(hostkeys.take, ct.paths.node)
        identity.make_host_keys(tree, f"root@{ct.spec.hostname}", take)
        configure_in(ct, tree)
    note(ct, old=ct.storage.mark(ct.paths.fs), new=ct.storage.mark(ct.paths.fs_tmp))


def swap(ct: Ct) -> None:
    """The disk is waited for in SETTLE: until then a power cut takes it back, as a failure does.

    What btrfs holds back is written while the new system is made and boots, which writes nothing.
    """
    trade(ct.paths.fs, ct.paths.fs_tmp)
    begin_to_settle(ct.paths.private)


def swap_back(ct: Ct) -> None:
    if role_of(ct, ct.paths.fs_tmp) == "old":
        exchange(ct.paths.fs, ct.paths.fs_tmp)


def configure(ct: Ct) -> None:
    scope = next((s for s in (Scope.OWN, Scope.GLOBAL) if present(ct, s, CONFIGURE)), None)
    if scope:
        run_script(ct, scope, CONFIGURE)


def wants_configure(ct: Ct) -> bool:
    return may_configure(ct) and has_configure(ct)


def may_configure(ct: Ct) -> bool:
    """Whether the other hook did not leave all of it to the template."""
    return noted(ct).get("configure") is not False


def has_configure(ct: Ct) -> bool:
    return any(present(ct, scope, CONFIGURE) for scope in Scope)


def merge(ct: Ct) -> None:
    """Users, passwords and keys of the old system, into the new one."""
    node = ct.paths.node
    with tree_of(node, ct.paths.fs_tmp) as old, tree_of(node, ct.paths.fs) as new:
        for sentence in merge_credentials(old, new):
            ct.say(sentence)


def let_in(ct: Ct) -> None:
    password, keys = ct.params.get("userpasswd"), ct.params.get("sshkeys") or []
    with tree_of(ct.paths.node, ct.paths.fs) as tree:
        if password:
            set_password(tree, password["user"], password["hash"])
        for key in keys:
            add_key(tree, "root", key)


def wants_credentials(ct: Ct) -> bool:
    return not ct.params.get("resetpwdb")


def commit(ct: Ct) -> None:
    """From here on the new system is the container's; the old one is kept aside, or goes.

    Notes that came back after a power cut would have the next one put the old system back.
    """
    old, changed = ct.paths.fs_tmp, [ct.paths.private]
    if role_of(ct, old) == "old":
        if ct.params.get("keep_until"):
            aside = ct.paths.old / f"{ct.operation}"
            aside.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_replaced(ct, aside, ct.params["keep_until"])
            old.rename(aside / "fs")
            changed += [aside, ct.paths.old]
            ct.fact("kept", {"operation": ct.operation, "until": ct.params["keep_until"]})
        else:
            remove(ct.storage, old)
    template = noted(ct).get("template")
    if isinstance(template, str):
        ct.spec = replace(ct.spec, template=template)
        ct.fact("template", template)
    with tree_of(ct.paths.node, ct.paths.fs) as tree:
        ct.fact("host_keys", identity.host_keys(tree))
    forget_notes(ct)
    settle(changed)
    for area in kept.replaced_areas(ct.paths)[kept.REPLACED_MANY :]:
        ct.say(f"Only {kept.REPLACED_MANY} replaced systems are kept: {area.parent} is deleted.")
        remove(ct.storage, area)
        remove(ct.storage, area.parent)


def write_replaced(ct: Ct, aside: Path, until: str) -> None:
    """until: ISO 8601. Beside the area that is of the container's present template."""
    known = {"until": until, "template": ct.spec.template, "uid_base": ct.ids.base}
    with written_beside(aside / "kept.json", aside / "kept.new") as draft:
        draft.write_text(json.dumps(known))


def begin(ct: Ct) -> None:
    """Clear what an earlier attempt has left; the old system is at fs again by then."""
    swap_back(ct)
    forget_notes(ct)
    discard(ct)
    if wants_credentials(ct):
        require_readable_credentials(ct)
    if not custom(ct):
        catalogue.find(ct.paths.node, ct.params.get("template") or ct.spec.template)


def require_readable_credentials(ct: Ct) -> None:
    """Before anything is stopped: a broken /etc/passwd can be reset, but not carried over."""
    with tree_of(ct.paths.node, ct.paths.fs) as old:
        for path in (PASSWD, SHADOW, GROUP):
            with contextlib.suppress(Missing):
                old.read(path)


DISCARD = Step("discard-new", "remove the new system", do=discard)
SWAP_BACK = Step("put-back", "put the old system back", do=swap_back)
HIDE_OLD = Step(
    "hide-old",
    "remove /old again",
    do=hide_old,
    when=lambda ct: not wants_old(ct) and wants_configure(ct),
)

BEGIN = Step("begin-new", "make room for the new system", do=begin, undo=(DISCARD,))
BY_HOOK = Step(
    "vps-reinstall",
    "run the vps.reinstall script",
    do=build_by_hook,
    there=lambda ct: custom(ct) is not None,
    once=True,
    scripts=((Scope.OWN, REINSTALL), (Scope.GLOBAL, REINSTALL)),
)
BY_TEMPLATE = Step(
    "build-new",
    "build the new system",
    do=build_by_template,
    when=lambda ct: not ct.paths.fs_tmp.exists(),  # else the hook has made it
)
IDENTIFY = Step("identify-new", "write its host name, host keys and machine ID", do=identify)
ROOM = Step("room", "check that the old files fit", do=require_room, when=wants_old)
KEEP_OLD = Step(
    "keep-old", "keep the old files under /old", do=keep_old, spared=asked("skipbackup")
)
SWAP = Step("exchange", "put the new system in its place", do=swap, undo=(SWAP_BACK,))
SHOW_OLD = Step(
    "show-old",
    "show the old files at /old while vps.configure runs",
    do=show_old,
    when=lambda ct: not wants_old(ct) and wants_configure(ct),
)
RUN_CONFIGURE = Step(
    "vps-configure",
    "run the vps.configure script",
    do=configure,
    when=may_configure,
    there=has_configure,
    where=Where.CONTAINER,
    once=True,
    scripts=((Scope.OWN, CONFIGURE), (Scope.GLOBAL, CONFIGURE)),
)
MERGE = Step("credentials", "carry over users and passwords", do=merge, spared=asked("resetpwdb"))
LET_IN = Step("let-in-new", "set password and keys", do=let_in)
SETTLE = Step(
    "wait-for-disk",
    "wait until everything is on the disk",
    do=lambda ct: settle([ct.paths.private]),
)
COMMIT = Step("commit", "keep the new system", do=commit, commits=True)
