"""Who may do what: one table of predicates, asked as user.has_perm("containers.…", thing).

The thing is a container, an operation, or nothing. What somebody may not even know of, others'
containers, is left out of their lists (visible_to) and answers 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rules.permissions import add_perm
from rules.predicates import is_active, is_staff, predicate

from containers.models import Container, Operation

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Thing = Container | Operation | None


@predicate  # type: ignore[untyped-decorator]
def is_owner(user: AbstractBaseUser | AnonymousUser, thing: Thing) -> bool:
    container = thing.container if isinstance(thing, Operation) else thing
    return bool(container and container.owner_id and container.owner_id == user.pk)


@predicate  # type: ignore[untyped-decorator]
def is_requester(user: AbstractBaseUser | AnonymousUser, thing: Thing) -> bool:
    return isinstance(thing, Operation) and thing.by_id is not None and thing.by_id == user.pk


def granted(what: str) -> Any:
    """Whether customers may do it, as PANEL_CUSTOMERS_MAY has it."""

    def check() -> bool:
        return what in settings.CUSTOMERS_MAY

    return predicate(check, name=f"granted:{what}")  # type: ignore[no-untyped-call]


@predicate  # type: ignore[untyped-decorator]
def shows_host_output() -> bool:
    return bool(settings.SHOW_HOST_OUTPUT)


STAFF = is_active & is_staff
OWNER = is_active & (is_staff | is_owner)

TABLE = {
    # a container's owner, and staff
    "view_container": OWNER,
    "operate_container": OWNER,  # start, stop, restart, suspend, resume
    "snapshot_container": OWNER,  # make, verify, try, restore, delete; as many as staff allow
    "set_hostname": OWNER,
    "set_password": OWNER,
    "view_operation": OWNER,
    "view_log": OWNER,
    "cancel_operation": STAFF | (OWNER & is_requester),
    "reinstall_container": STAFF | (OWNER & granted("reinstall")),  # and put back what it replaced
    "erase_container": STAFF | (OWNER & granted("reinstall") & granted("erase")),
    "reinstall_without_stop_script": STAFF | (OWNER & granted("skip_stop_script")),
    "reinstall_without_own_scripts": STAFF | (OWNER & granted("skip_own_scripts")),
    # what scripts said in the node's context
    "view_node_output": STAFF | (OWNER & shows_host_output),
    # staff
    "manage_snapshots": STAFF,  # protect, clone, publish; schedules
    "manage_container": STAFF,  # create, destroy, mount, umount, exec, limits, addresses, owner
    "skip_stop_script": STAFF,
    "view_scripts": STAFF,
    "edit_scripts": STAFF,
    "manage_templates": STAFF,
    "manage_nodes": STAFF,
    "manage_people": STAFF,
    "view_audit": STAFF,
}
for name, holds in TABLE.items():
    add_perm(f"containers.{name}", holds)  # type: ignore[no-untyped-call]

FOR_OWNERS = frozenset({"start", "stop", "restart", "suspend", "resume"})


def permission_for(kind: str) -> str:
    """The permission it takes to request an operation of this kind."""
    if kind in FOR_OWNERS:
        return "containers.operate_container"
    if kind in ("snapshot", "restore", "trial_restore", "delete_snapshot"):
        return "containers.snapshot_container"
    reinstalls = kind in ("reinstall", "undo_reinstall")
    return "containers.reinstall_container" if reinstalls else "containers.manage_container"
