"""Steps that more than one operation takes, each beside its undo."""

from containers.node.steps.checking import (
    CHECK_DISABLED,
    CHECK_DISMOUNTED,
    CHECK_FREE,
    CHECK_MOUNTED,
    CHECK_NEW_SYSTEM,
    CHECK_REPLACED,
    CHECK_RETURN,
    CHECK_WAY_UP,
)
from containers.node.steps.configuring import APPLY, CHECK_FIT, CONFIGURE, WRITE_CONF
from containers.node.steps.making import (
    CHECK_NEW,
    COPY_TEMPLATE,
    DELETE_CONF,
    DELETE_PRIVATE,
    IDENTIFY,
    LET_IN,
    LIMIT_DISK,
    MAKE_PRIVATE,
    SETTLE,
)
from containers.node.steps.mounting import DISMOUNT, MOUNT
from containers.node.steps.room import CHECK_KEPT, CHECK_POOL
from containers.node.steps.running import (
    BOOT,
    CREATE,
    DELETE,
    HALT,
    POSTUMOUNT_SCRIPTS,
    THAW,
    WRITE_BUNDLE,
)
from containers.node.steps.scripting import KEEP_SCRIPTS, WRITE_SCRIPTS, script

__all__ = [
    "APPLY",
    "BOOT",
    "CHECK_DISABLED",
    "CHECK_DISMOUNTED",
    "CHECK_FIT",
    "CHECK_FREE",
    "CHECK_KEPT",
    "CHECK_MOUNTED",
    "CHECK_NEW",
    "CHECK_NEW_SYSTEM",
    "CHECK_POOL",
    "CHECK_REPLACED",
    "CHECK_RETURN",
    "CHECK_WAY_UP",
    "CONFIGURE",
    "COPY_TEMPLATE",
    "CREATE",
    "DELETE",
    "DELETE_CONF",
    "DELETE_PRIVATE",
    "DISMOUNT",
    "HALT",
    "IDENTIFY",
    "KEEP_SCRIPTS",
    "LET_IN",
    "LIMIT_DISK",
    "MAKE_PRIVATE",
    "MOUNT",
    "POSTUMOUNT_SCRIPTS",
    "SETTLE",
    "THAW",
    "WRITE_BUNDLE",
    "WRITE_CONF",
    "WRITE_SCRIPTS",
    "script",
]
