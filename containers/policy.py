"""Who may do what: one table of predicates, asked as user.has_perm("containers.…", thing).

The thing is a container, an operation, or nothing. What somebody may not even know of, others'
containers, is left out of their lists (visible_to) and answers 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


STAFF = is_active & is_staff
OWNER = is_active & (is_staff | is_owner)

TABLE = {
    # a container's owner, and staff
    "view_container": OWNER,
    "operate_container": OWNER,  # start, stop, restart
    "set_hostname": OWNER,
    "set_password": OWNER,
    "view_operation": OWNER,
    "view_log": OWNER,
    "cancel_operation": STAFF | (OWNER & is_requester),
    # staff
    "view_node_output": STAFF,  # what scripts said in the node's context
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

FOR_OWNERS = frozenset({"start", "stop", "restart"})


def permission_for(kind: str) -> str:
    """The permission it takes to request an operation of this kind."""
    return "containers.operate_container" if kind in FOR_OWNERS else "containers.manage_container"
