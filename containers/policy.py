"""Who may do what: predicates made of the table of permissions and of those that kinds bring along.

The thing asked about is a container, an operation, or nothing. What somebody may not even know of,
others' containers, is left out of their lists (visible_to) and answers 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rules.permissions import add_perm, perm_exists
from rules.predicates import is_active, is_staff, predicate

from containers import permissions
from containers.kind import KINDS
from containers.models import Container, Operation
from containers.permissions import Permission

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


def holds(permission: Permission) -> Any:
    """The predicate of a permission."""
    staff = is_active & is_staff
    if not permission.owner:
        return staff
    owner: Any = is_active & is_owner
    for word in permission.granted:
        owner &= granted(word)
    if permission.requester:
        owner &= is_requester
    if permission.host_output:
        owner &= shows_host_output
    return staff | owner


def allow(permission: Permission) -> None:
    """Make it known to user.has_perm; once."""
    if not perm_exists(f"containers.{permission}"):  # type: ignore[no-untyped-call]
        add_perm(f"containers.{permission}", holds(permission))  # type: ignore[no-untyped-call]


for each in (*permissions.ALL, *(kind.permission for kind in KINDS.values())):
    allow(each)
