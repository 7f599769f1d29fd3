"""What can be allowed: every permission in one table, who has it beside staff, and the sentence for
those who have not. policy.py makes predicates of it; a kind of operation names one of these."""

from __future__ import annotations

from dataclasses import dataclass

STAFF_ONLY = "This page is for hosting staff."


@dataclass(frozen=True)
class Permission:
    """Asked as user.has_perm(f"containers.{permission}", thing); staff always have it.

    owner: so has whoever owns the container it is asked of.
    granted: words of PANEL_CUSTOMERS_MAY; the owner has it only if all of them are in it.
    requester: the owner has it only for an operation that they asked for themselves.
    host_output: the owner has it only where PANEL_SHOW_HOST_OUTPUT is set.
    """

    name: str
    owner: bool = False
    granted: tuple[str, ...] = ()
    requester: bool = False
    host_output: bool = False
    denial: str = STAFF_ONLY

    def __str__(self) -> str:
        return self.name


VIEW_CONTAINER = Permission("view_container", owner=True)
OPERATE = Permission("operate_container", owner=True)
SNAPSHOT = Permission("snapshot_container", owner=True)  # as many as staff allow
SET_HOSTNAME = Permission("set_hostname", owner=True)
SET_PASSWORD = Permission("set_password", owner=True)
VIEW_OPERATION = Permission("view_operation", owner=True)
VIEW_LOG = Permission("view_log", owner=True)
CANCEL = Permission(
    "cancel_operation",
    owner=True,
    requester=True,
    denial="Only whoever started an operation, or the hosting staff, can cancel it.",
)
REINSTALL = Permission(
    "reinstall_container",
    owner=True,
    granted=("reinstall",),
    denial="Only the hosting staff can reinstall containers here.",
)
ERASE = Permission("erase_container", owner=True, granted=("reinstall", "erase"))
REINSTALL_WITHOUT_STOP_SCRIPT = Permission(
    "reinstall_without_stop_script",
    owner=True,
    granted=("skip_stop_script",),
    denial="Only the hosting staff can skip the stop script here.",
)
REINSTALL_WITHOUT_OWN_SCRIPTS = Permission(
    "reinstall_without_own_scripts",
    owner=True,
    granted=("skip_own_scripts",),
    denial="Only the hosting staff can skip a container's start and stop scripts here.",
)
VIEW_NODE_OUTPUT = Permission("view_node_output", owner=True, host_output=True)
MANAGE_SNAPSHOTS = Permission(
    "manage_snapshots",
    denial="Only the hosting staff can clone, publish, schedule and protect snapshots.",
)
MANAGE = Permission(
    "manage_container", denial="Only the hosting staff can do that with a container."
)
SKIP_STOP_SCRIPT = Permission(
    "skip_stop_script",
    owner=True,
    granted=("stop_without_script",),
    denial="Only the hosting staff can stop a container without its stop script.",
)
VIEW_SCRIPTS = Permission("view_scripts")
EDIT_SCRIPTS = Permission("edit_scripts")
MANAGE_TEMPLATES = Permission("manage_templates")
MANAGE_NODES = Permission("manage_nodes")
MANAGE_PEOPLE = Permission("manage_people")
VIEW_AUDIT = Permission("view_audit")

ALL = tuple(each for each in list(globals().values()) if isinstance(each, Permission))
BY_NAME = {permission.name: permission for permission in ALL}
