"""What can go wrong, as machine words, and the sentences that people read of it.

Whoever raises gives the word and its details (JSON-able); no other module makes sentences of
them. A line: the word, the sentence for staff, the one for customers, and vzctl's exit code where
one follows from it. Customers read no exit codes, no commands and no paths of the node.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Self

from containers.node import wording
from containers.node.codes import Code
from containers.node.doubts import Doubts, Hindrances
from containers.node.faults import BadTrees, BadUsages, BadValues, Fault, Unfits

STAFF_LOOK = "The hosting staff has to look at it."
BROKEN = f"Something went wrong on the server. {STAFF_LOOK}"
NO_DISK = f"The server has too little disk space left. {STAFF_LOOK}"
NO_NETWORK = f"The container's network could not be set up. {STAFF_LOOK}"
NOT_ITS_PROCESSES = "Its processes could not be restored."
NO_PROCESSES = (
    "Its processes can't be kept in a snapshot now; a snapshot of the disk only is possible."
)
NOT_KEPT = f"The snapshot can't be restored. {STAFF_LOOK}"
BAD_TEMPLATE = "The template can't be used."


class Problem(StrEnum):
    staff: str
    customers: str
    code: Code

    def __new__(
        cls, word: str, staff: str = "", customers: str = "", code: Code = Code.SYSTEM
    ) -> Self:
        problem = str.__new__(cls, word)
        problem._value_ = word
        problem.staff, problem.customers, problem.code = staff, customers or staff, code
        return problem

    # what somebody gave; the sentence is the fault's (FAULTS)
    BAD_VALUE = "bad-value", "", "", Code.BAD_VALUE
    BAD_USAGE = "bad-usage", "", "", Code.BAD_SYNTAX
    BAD_TREE = "bad-tree"
    NOT_A_TEMPLATE = "not-a-template", "", "", Code.BAD_TEMPLATE
    DOUBTFUL = "doubtful"  # a snapshot; this and the next are reasons of others, never raised
    HINDERED = "hindered"  # a dump

    # the state does not allow it
    BEING_CREATED = "being-created", "The container is still being created.", "", Code.NO_CT_CONF
    ALREADY_RUNNING = "already-running", "The container is already running.", "", Code.RUNNING
    STILL_RUNNING = "still-running", "The container is running; stop it first.", "", Code.RUNNING
    STILL_PAUSED = "still-paused", "The container is paused; stop it first.", "", Code.RUNNING
    PAUSED = "paused", "The container is paused.", "", Code.RUNNING
    STANDS_STILL = (
        "stands-still",
        "The container stands still: its processes are being saved. Try again in a moment.",
        "",
        Code.LOCKED,
    )
    SUSPENDED = "suspended", "The container is suspended; resume it first.", "", Code.RUNNING
    ALREADY_SUSPENDED = "already-suspended", "The container is suspended already.", "", Code.RUNNING
    NOT_SUSPENDED = (
        "not-suspended",
        "The container is not suspended: no processes of it are kept.",
        "",
        Code.RESTORE,
    )
    NOT_RUNNING = "not-running", "The container is not running.", "", Code.NOT_RUNNING
    NOT_RUNNING_NOW = (
        "not-running-now",
        "The container is not running any more, it is {state}: it ended a moment ago, or its node"
        " was restarted. The panel has not taken note of it yet; pctl start starts it.",
        "The container is not running any more. Look again in a moment.",
        Code.NOT_RUNNING,
    )
    NO_SCRIPT_FILE = (
        "no-script-file",
        "The node has no file of it: looked for {places:list}.",
        "The node has no file of it.",
        Code.BAD_VALUE,
    )
    NO_CONSOLE = (
        "no-console",
        "Nobody has its console: its monitor has ended. It has one again from its next start on.",
        "",
        Code.SYSTEM,
    )
    ALREADY_MOUNTED = "already-mounted", "The container is already mounted.", "", Code.MOUNTED
    STILL_MOUNTED = (
        "still-mounted",
        "The container is mounted; dismount it first.",
        f"The container's files are in use on the server. {STAFF_LOOK}",
        Code.MOUNTED,
    )
    NOT_MOUNTED = "not-mounted", "The container is not mounted.", "", Code.NOT_MOUNTED
    PRIVATE_MISSING = (
        "private-missing",
        "The container's private area is missing.",
        f"The container's files are missing. {STAFF_LOOK}",
        Code.NO_PRIVATE,
    )
    STATE_UNKNOWN = (
        "state-unknown",
        "Its node has not said what state the container is in.",
        "The state of the container is not known at the moment.",
    )
    WRONG_STATE = "wrong-state", "The operation {label:lower} is not for a {state} container."
    DISABLED = (
        "disabled",
        "The container is disabled: it may not be started.",
        "The container is disabled: it may not be started. Ask the hosting staff.",
        Code.DISABLED,
    )

    # somebody else is at it
    LOCKED = (
        "locked",
        "The container is locked by {holder}.",
        "Somebody else is at work on the container. Try again in a moment.",
        Code.LOCKED,
    )
    BUSY = "busy", "{what:capital} is busy: {holder} {stands}.", "", Code.LOCKED
    BUSY_A_MOMENT = (
        "busy-a-moment",
        "{what:capital} is busy with another operation.",
        "",
        Code.LOCKED,
    )
    NODE_BUSY = "node-busy", "The process {holder} is at work on node {node}.", BROKEN, Code.LOCKED
    POOL_BUSY = "pool-busy", "The pool is in use: something is mounted at {path}.", BROKEN

    # it exists, or does not
    EXISTS = "exists", "The container exists.", "", Code.EXISTS
    CT_EXISTS = "ct-exists", "CT {ctid} exists already.", "", Code.EXISTS
    CT_OR_NAME_EXISTS = (
        "ct-or-name-exists",
        "CT {ctid} or its name exists already.",
        "",
        Code.EXISTS,
    )
    PATH_EXISTS = "path-exists", "There is something at {path} already.", BROKEN, Code.EXISTS
    SNAPSHOT_EXISTS = (
        "snapshot-exists",
        "There is a snapshot {uuid} already.",
        "There is such a snapshot already.",
        Code.EXISTS,
    )
    USER_EXISTS = "user-exists", "There is a user {name} already.", "", Code.EXISTS
    NO_CONTAINER = "no-container", "There is no CT {ctid}.", "", Code.NO_CT_CONF
    NO_TEMPLATE = (
        "no-template",
        "There is no template {template} on this node; pctl template list tells which there are.",
        "The template is not on the server any more. Choose another.",
        Code.NO_TEMPLATE,
    )
    NO_TEMPLATE_YET = (
        "no-template-yet",
        "There is no template {template}: pctl template list tells which there are, {ways} makes "
        "it.",
        "The template is not on the server.",
        Code.NO_TEMPLATE,
    )
    NO_TEMPLATE_GIVEN = (
        "no-template-given",
        "The option --ostemplate is missing.",
        "",
        Code.NO_TEMPLATE_NAME,
    )
    UNKNOWN_TEMPLATE = (
        "unknown-template",
        "The template {name} can't be built; what can be is {known:list}.",
        BAD_TEMPLATE,
        Code.NO_TEMPLATE,
    )
    TEMPLATE_USED = (
        "template-used",
        "The template {template} can't be removed: containers were made from it.",
    )
    NOT_KEPT_ANY_MORE = (
        "not-kept",
        "The system before that reinstallation is no longer kept.",
        "",
        Code.NO_PRIVATE,
    )
    NONE_KEPT = "none-kept", "No earlier system of CT {ctid} is kept.", "", Code.NO_PRIVATE
    PROTECTED = (
        "protected",
        "The snapshot {snapshot} is protected; --force deletes it all the same.",
    )
    TOO_MANY_SNAPSHOTS = (
        "too-many-snapshots",
        "There are {most} snapshots already, and no more are allowed.",
        "There are {most} snapshots already, and no more are allowed. Delete one first.",
        Code.BAD_VALUE,
    )

    # scripts
    SCRIPT_FAILED = (
        "script-failed",
        "{scope:Whose} {action:script} {exit:ended}.",
        "{scope:Theirs} {action:script} failed.",
        Code.SCRIPT,
    )
    TIME_LIMIT = (
        "time-limit",
        "{scope:Whose} {action:script} was ended at its time limit of {seconds:g} s.",
        "{scope:Theirs} {action:script} took too long and was ended.",
        Code.SCRIPT,
    )
    SCRIPT_UNREADABLE = (
        "script-unreadable",
        "{scope:Whose} {action:script} could not be read: {why:clause}.",
        "{scope:Theirs} {action:script} could not be read.",
        Code.SCRIPT,
    )
    SCRIPT_NOT_STARTED = (
        "script-not-started",
        "{scope:Whose} {action:script} could not be started: {why:clause}.",
        "{scope:Theirs} {action:script} could not be started.",
        Code.SCRIPT,
    )
    SCRIPT_NOT_RUN = (
        "script-not-run",
        "{scope:Whose} {action:script} could not be run. {cause}",
        "{scope:Theirs} {action:script} could not be run. {cause}",
        Code.SCRIPT,
    )
    SCRIPT_INTERRUPTED = (
        "script-interrupted",
        "{scope:Whose} {action:script} was interrupted: nobody knows how it would have ended.",
        "{scope:Theirs} {action:script} was interrupted.",
        Code.SCRIPT,
    )
    NO_SHELL = (
        "no-shell",
        "The container has no shell, so no script can be run in it.",
        "",
        Code.SCRIPT,
    )
    FOREIGN_FILE = (
        "foreign-file",
        "The file {path} was not written by the panel, or was changed since: import it, or replace "
        "it with what the panel has.",
        f"A script of the container was changed on the server. {STAFF_LOOK}",
        Code.SCRIPT,
    )
    NOT_APPROVED = (
        "not-approved",
        "{scope:Whose} {action:script} is not approved, and its node runs only approved ones. Type "
        "{command} on the node to look at it and approve it.",
        "{scope:Theirs} {action:script} has to be approved before it runs. " + STAFF_LOOK,
        Code.SCRIPT,
    )
    NO_NEW_AREA = (
        "no-new-area",
        "{scope:Whose} {action:script} ended with exit code 0, but did not make the new private "
        "area.",
        "{scope:Theirs} {action:script} did not make a new system.",
        Code.CUSTOM_REINSTALL,
    )

    LEDGER_CUT = (
        "ledger-cut",
        "The end of {path} is missing: somebody has cut it, or an old copy was put there.",
        BROKEN,
    )

    NO_LEDGER = "no-ledger", "This node has seen nothing of the audit yet: {path} is empty.", BROKEN

    # room
    NO_SPACE = "no-space", "The disk that holds the containers is full.", NO_DISK, Code.NO_SPACE
    LOG_FULL = "log-full", "The disk that holds the log is full.", NO_DISK, Code.NO_SPACE
    TOO_LITTLE_SPACE = (
        "too-little-space",
        "The disk of the node has too little room: it takes about {needed:size}, and only "
        "{free:size} are free.",
        NO_DISK,
        Code.NO_SPACE,
    )
    POOL_SPACE = (
        "pool-space",
        "The disk at {path} has {free:size} free, and containers need {needed:size} at least.",
        NO_DISK,
        Code.NO_SPACE,
    )
    POOL_RESERVE = (
        "pool-reserve",
        "The node's disk has {free:size} left of {whole:size}, and new things leave {reserve:size} "
        "of it to the containers that there are. Delete snapshots, templates or containers that "
        "nobody needs, or enlarge the disk.",
        "The server's disk has {free:size} left, which is kept for the containers that there are. "
        "Everything that exists goes on. Deleting snapshots that you don't need makes room; "
        "otherwise the hosting staff has to make some.",
        Code.NO_SPACE,
    )
    KEEPS_TOO_MUCH = (
        "keeps-too-much",
        "Its snapshots count {snapshots:size} and its replaced systems {replaced:size}; this one "
        "would add {new:size}, and {allowed:size} are allowed. Delete a snapshot, or raise its "
        "disk limit.",
        "Its snapshots count {snapshots:size} and its replaced systems {replaced:size}; this one "
        "would add {new:size}, and {allowed:size} are allowed. Delete a snapshot, or wait until "
        "a replaced system goes on its date.",
        Code.NO_SPACE,
    )
    DISK_LIMIT = (
        "disk-limit",
        "The file {path} in the container could not be written: the container's disk limit is "
        "reached.",
        "",
        Code.NO_SPACE,
    )
    DISK_FULL = (
        "disk-full",
        "The file {path} in the container could not be written: the disk is full.",
        NO_DISK,
        Code.NO_SPACE,
    )
    NO_ROOM = (
        "no-room",
        "The old files do not fit under /old: they have {old:size} and the new system {new:size}, "
        "together more than its {limit:size} of disk.",
        "",
        Code.REINSTALL,
    )
    OLD_NOT_COPIED = (
        "old-not-copied",
        "The old files do not fit under /old: the disk is full.",
        "",
        Code.REINSTALL,
    )
    OLD_NOT_SHOWN = (
        "old-not-shown",
        "The old files could not be shown under /old: {why:clause}.",
        BROKEN,
        Code.MOUNT,
    )
    BELOW_USE = (
        "below-use",
        "Its {what} can't be limited to {wanted:size}: it uses {used:size}.",
        "",
        Code.RESOURCE,
    )
    PROCESSES_BELOW_USE = (
        "processes-below-use",
        "Its processes can't be limited to {wanted}: it has {used}.",
        "",
        Code.RESOURCE,
    )
    LIMITS_REFUSED = (
        "limits-refused",
        "The limits of the container could not be changed{said:said}.",
        "The limits of the container could not be changed.",
        Code.RESOURCE,
    )

    # the network
    ADDRESS_IN_USE = (
        "address-in-use",
        "The address {address} is in use: {holder:clause}.",
        "The address {address} is in use.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_OF_CONTAINER = (
        "address-of-container",
        "The address {address} is in use by CT {ctid} ({name}).",
        "The address {address} is in use.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_RESERVED = (
        "address-reserved",
        "The address {address} is reserved for CT {ctid} ({name}).",
        "The address {address} is in use.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_ON_NODE = (
        "address-on-node",
        "The address {address} is in use on this node.",
        "The address {address} is in use.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_OF_NODE = (
        "address-of-node",
        "The address {address} is one of the node's own.",
        "The address {address} is in use.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_OF_OTHER_POOL = (
        "address-of-other-pool",
        "The address {address} is of the pool of the node {node}, and would not be reached here.",
        "The address {address} can't be used on this server.",
        Code.ADDRESS_IN_USE,
    )
    ADDRESS_NOT_ADDED = (
        "address-not-added",
        "The address {address} could not be added. {cause}",
        "The address {address} could not be added.",
        Code.NETWORK,
    )
    NETWORK_FAILED = (
        "network-failed",
        "The container's network could not be set up: {why:clause}.",
        NO_NETWORK,
        Code.NETWORK,
    )
    NETWORK_OFF = (
        "network-off",
        "There is no network for containers: {why:clause}.",
        NO_NETWORK,
        Code.NETWORK,
    )
    NO_POOL = (
        "no-pool",
        "For the pool no network below 10.0.0.0/8 is free: set {key} in vz.conf.",
        NO_NETWORK,
        Code.NETWORK,
    )
    POOL_EMPTY = (
        "pool-empty",
        "The pool {pool} has no free address left.",
        "There is no free address left.",
        Code.NETWORK,
    )
    NO_IDS_LEFT = (
        "no-ids-left",
        "There is no range of user ids left for it: make UID_BLOCK_SIZE in vz.conf larger, and run "
        "make setup.",
        BROKEN,
        Code.RESOURCE,
    )
    IDS_OF_OTHERS = (
        "ids-of-others",
        "The ids {first} to {last}, which vz.conf gives to containers, are somebody else's from "
        "{begin} on.",
        BROKEN,
        Code.BAD_CONF,
    )
    AREA_OF_OTHERS = (
        "area-of-others",
        "The directory {path} belongs to id {number}, which is no container's.",
        BROKEN,
        Code.BAD_CONF,
    )
    NO_IDS = "no-ids", "There is no free range of ids in /etc/subuid.", BROKEN, Code.BAD_CONF

    # making, mounting, running
    NOT_MADE = (
        "not-made",
        "The container could not be made by its runtime.",
        f"The container could not be started. {STAFF_LOOK}",
        Code.ENV_CREATE,
    )
    INIT_DIED = (
        "init-died",
        "The container's init {exit:ended} {lived:lived}{last:console}.",
        "The container's system ended {lived:lived}{last:console}.",
        Code.ENV_CREATE,
    )
    INIT_OUT_OF_MEMORY = (
        "init-out-of-memory",
        "The container's init was killed for want of memory {lived:lived}: raise the limit of its "
        "memory{last:console}.",
        "The container's memory does not suffice for its system, which ended {lived:lived}"
        "{last:console}.",
        Code.ENV_CREATE,
    )
    NO_INIT = "no-init", "There is no init in the container.", "", Code.BAD_TEMPLATE
    NOT_KILLED = (
        "not-killed",
        "The container could not be killed.",
        f"The container could not be stopped. {STAFF_LOOK}",
        Code.STOP,
    )
    MOUNT_FAILED = (
        "mount-failed",
        "The private area could not be mounted: {why:clause}.",
        BROKEN,
        Code.MOUNT,
    )
    UMOUNT_FAILED = (
        "umount-failed",
        "The private area could not be dismounted: {why:clause}.",
        BROKEN,
        Code.UMOUNT,
    )
    MOUNTED_BELOW = (
        "mounted-below",
        "The directory {path} can't be removed: something is mounted at {point}.",
        BROKEN,
        Code.UMOUNT,
    )
    FILE_IN_THE_WAY = (
        "file-in-the-way",
        "The file {path} is in the way: the panel's link belongs there.",
        BROKEN,
    )
    NOT_A_TEMPLATE_THERE = (
        "path-in-the-way",
        "The directory {path} is in the way and is no template.",
        BROKEN,
    )
    HOLDS_OLD_SYSTEM = (
        "holds-old-system",
        "The directory {path} holds the old system; it is not removed.",
        BROKEN,
    )
    HOLDS_OLD_DISK = (
        "holds-old-disk",
        "The directory {path} holds the former disk; it is not removed.",
        BROKEN,
    )
    NOT_TAKEN_AWAY = (
        "not-taken-away",
        "The directory {path} could not be taken from the running container.",
        BROKEN,
    )
    NOT_EXCHANGED = (
        "not-exchanged",
        "The directories {one} and {other} could not trade places: {why:clause}.",
        BROKEN,
    )
    USAGE_UNKNOWN = (
        "usage-unknown",
        "The command {command} does not say how much is used; quotas may be off.",
        BROKEN,
    )
    FILE_TOO_LARGE = "file-too-large", "The file {path} is larger than {most:size}.", BROKEN
    PROGRAM_MISSING = (
        "program-missing",
        "There is no {program}: install the package {package}.",
        BROKEN,
    )
    PROGRAM_NOT_STATIC = (
        "program-not-static",
        "The program {path} is not static: install the package {package}.",
        BROKEN,
    )
    NOT_HASHED = (
        "not-hashed",
        "The password could not be hashed by libcrypt.",
        BROKEN,
        Code.PASSWORD,
    )

    # snapshots
    SNAPSHOTS_OFF = (
        "snapshots-off",
        "Process snapshots are off on this node: {why:clause}.",
        "Processes can't be kept in snapshots on this server; snapshots of the disk are possible.",
        Code.CHECKPOINT,
    )
    CRIU_FAILED = (
        "criu-failed",
        "Process snapshots are off on this node. {cause}",
        "Processes can't be kept in snapshots on this server; snapshots of the disk are possible.",
        Code.CHECKPOINT,
    )
    NOT_DUMPABLE = (
        "not-dumpable",
        "Its processes can't be kept: {reasons:clauses}.",
        "Its processes can't be kept now: {reasons:clauses}. A snapshot of the disk only is "
        "possible.",
        Code.CHECKPOINT,
    )
    DUMP_FAILED = (
        "dump-failed",
        "Its processes can't be kept: {why:clause}.",
        NO_PROCESSES,
        Code.CHECKPOINT,
    )
    DUMP_COMMAND_FAILED = (
        "dump-command-failed",
        "Its processes can't be kept. {cause}",
        NO_PROCESSES,
        Code.CHECKPOINT,
    )
    DUMP_TIME_LIMIT = (
        "dump-time-limit",
        "Its processes can't be kept: that was not done after {seconds:g} s. "
        "The container goes on.",
        NO_PROCESSES,
        Code.CHECKPOINT,
    )
    DUMP_STALLED = (
        "dump-stalled",
        "Its processes can't be kept: CRIU made no progress for {seconds:g} s while the container "
        "stood still. The container goes on.",
        NO_PROCESSES,
        Code.CHECKPOINT,
    )
    NOT_RESTORABLE = (
        "not-restorable",
        "The snapshot can't be restored: {reasons:clauses}.",
        "",
        Code.RESTORE,
    )
    PROCESSES_KEPT = (
        "processes-kept",
        "The processes that ran before could not be brought back: they are kept, with the disk of "
        "then, as the snapshot {uuid}. Mend what stood in the way and restore that one.",
        "The processes that ran before could not be brought back: they are kept, with the disk of "
        "then, as a snapshot. Restore that one.",
        Code.RESTORE,
    )
    STILL_SUSPENDED = (
        "still-suspended",
        "Its processes could not be brought back: they are kept, and it is suspended. Resume it, "
        "or start it with --discard to throw them away.",
        "Its processes could not be brought back: they are kept, and it is suspended. Resume it, "
        "or start it afresh.",
        Code.RESTORE,
    )
    RESTORE_FAILED = (
        "restore-failed",
        "Its processes could not be restored: {why:clause}.",
        NOT_ITS_PROCESSES,
        Code.RESTORE,
    )
    RESTORE_COMMAND_FAILED = (
        "restore-command-failed",
        "Its processes could not be restored. {cause}",
        NOT_ITS_PROCESSES,
        Code.RESTORE,
    )
    RESTORE_TIME_LIMIT = (
        "restore-time-limit",
        "Its processes could not be restored: that was not done after {seconds:g} s.",
        NOT_ITS_PROCESSES,
        Code.RESTORE,
    )
    INIT_ENDED = (
        "init-ended",
        "Its processes were restored, and its init ended at once.",
        NOT_ITS_PROCESSES,
        Code.RESTORE,
    )
    MOUNT_MISSING = (
        "mount-missing",
        "There is no mount at {path}, where there was one when its processes were kept: its mount "
        "scripts did not make it.",
        f"{NOT_ITS_PROCESSES} {STAFF_LOOK}",
        Code.RESTORE,
    )
    NO_WAY_BACK = (
        "no-way-back",
        "Its {scripts:list} script was changed since it was started. What is mounted at "
        "{paths:list} could not be mounted again as it is, so the processes that run now could not "
        "be brought back should the restore fail. Restart it first, or stop it and restore then.",
        "What is mounted in it can't be mounted again as it is now, so its processes could not be "
        "brought back should the restore fail. Restart it first, or stop it and restore then.",
        Code.RESTORE,
    )
    KEPT_DAMAGED = (
        "kept-damaged",
        "Its processes can't be restored: of what was kept, {reasons:clauses}.",
        f"{NOT_ITS_PROCESSES} {STAFF_LOOK}",
        Code.RESTORE,
    )
    NO_TRIAL = (
        "no-trial",
        "There can be no trial restore: its processes use {paths:list}, which is no part of its "
        "disk.",
        "There can be no trial restore: its processes use files that are no part of its disk.",
    )
    IMAGE_UNREADABLE = (
        "image-unreadable",
        "Its processes could not be restored: the image {name} can't be read.",
        f"{NOT_ITS_PROCESSES} {STAFF_LOOK}",
        Code.RESTORE,
    )
    RECORD_UNREADABLE = (
        "record-unreadable",
        "The record of the snapshot can't be read.",
        NOT_KEPT,
        Code.RESTORE,
    )

    # commands
    COMMAND_FAILED = "command-failed", "The command {command} {exit:ended}{said:said}.", BROKEN
    COMMAND_NOT_STARTED = (
        "command-not-started",
        "The command {command} could not be started: {why:clause}.",
        BROKEN,
    )
    COMMAND_TIME_LIMIT = (
        "command-time-limit",
        "The command {command} was ended at its time limit of {seconds:g} s.",
        BROKEN,
    )
    NOT_RUN_INSIDE = (
        "not-run-inside",
        "The command {command} could not be run in the container.",
        "",
        Code.EXEC,
    )
    TREE_IN_THE_WAY = (
        "tree-in-the-way",
        "The command {command} could not be run in the container. {cause}",
        "",
        Code.EXEC,
    )

    # the operation itself
    CANCELLED = "cancelled", "It was cancelled.", "", Code.SCRIPT
    CANCELLED_EARLY = "cancelled-early", "It was cancelled before it began.", "", Code.SCRIPT
    RUNNER_DIED = (
        "runner-died",
        "Its runner ended unexpectedly; {recovered:recovered}.",
        "It was interrupted on the server; {recovered:recovered}.",
    )
    STEP_INTERRUPTED = (
        "step-interrupted",
        "Its runner ended unexpectedly while it was to {label}: nobody knows how that ended.",
        "It was interrupted on the server.",
    )
    RUNNER_FAILED = "runner-failed", "Its runner failed: {why:clause}.", BROKEN
    NOT_BEGUN = "not-begun", "It could not be begun. {cause}", BROKEN
    NOT_TIDIED = (
        "not-tidied",
        "Its runner ended unexpectedly, and what it left is not tidied up. {cause}",
        BROKEN,
    )
    RECOVERIES_ENDED = (
        "recoveries-ended",
        "The runner that tidies up for it was ended each time.",
        BROKEN,
    )
    STEP_FAILED = "step-failed", "It could not {label}: {why:clause}.", BROKEN
    SYSTEM_ERROR = "system-error", "The system says: {why:clause}.", BROKEN
    ZYGOTE_GONE = "zygote-gone", "The process that starts runners is gone.", BROKEN
    NO_ANSWER = "no-answer", "The node knows no answer to {word}.", BROKEN

    # the command line
    NO_ACCESS = (
        "no-access",
        "You have no access to {what}: run pctl as root.",
        BROKEN,
        Code.NO_ACCESS,
    )
    DATABASE_AWAY = "database-away", "The panel's database can't be used ({why:clause}).", BROKEN
    NO_DATABASE = (
        "no-database",
        "The panel has no database at {path} yet: make run makes it.",
        BROKEN,
    )
    NOT_THIS_PANEL = (
        "not-this-panel",
        "This is the command of a panel that has no database at {path}. Another panel of this"
        " machine has one; its command is {known:list}.",
        BROKEN,
    )
    LXCFS_SILENT = (
        "lxcfs-silent",
        "The program lxcfs did not answer within {seconds:g} s.",
        BROKEN,
    )
    NODE_NOT_SET_UP = (
        "node-not-set-up",
        "The node {node} is not set up: make run does that.",
        BROKEN,
    )
    ON_OTHER_NODE = "on-other-node", "The CT {ctid} is on the node {node}: run pctl there.", BROKEN
    WORK_STOPPED = "work-stopped", "The work on it stopped: {why:clause}.", BROKEN


FAULTS: dict[Problem, type[Fault]] = {
    Problem.BAD_VALUE: BadValues,
    Problem.BAD_USAGE: BadUsages,
    Problem.BAD_TREE: BadTrees,
    Problem.NOT_A_TEMPLATE: Unfits,
    Problem.DOUBTFUL: Doubts,
    Problem.HINDERED: Hindrances,
}
OF_FAULTS = {faults: problem for problem, faults in FAULTS.items()}
AT = "at"  # of a value: the option it was given to
Tell = Callable[[str, Mapping[str, Any]], str]


def problem_of(word: Problem | Fault) -> Problem:
    return word if isinstance(word, Problem) else OF_FAULTS[type(word)]


def line_of(problem: str, details: Mapping[str, Any]) -> Problem | Fault | None:
    """Where the sentences of it stand; None for a word of another version."""
    try:
        found = Problem(problem)
        return fault_of(found, details) if found in FAULTS else found
    except ValueError:
        return None


def fault_of(problem: Problem, details: Mapping[str, Any]) -> Fault | None:
    word = details.get("fault")
    return next((fault for fault in FAULTS[problem] if fault == word), None)


def for_staff(problem: str, details: Mapping[str, Any]) -> str:
    """Empty for a word of another version."""
    line = line_of(problem, details)
    return told(line.staff, details, for_staff) if line else ""


def for_customers(problem: str, details: Mapping[str, Any]) -> str:
    line = line_of(problem, details)
    return told(line.customers, details, for_customers) if line else ""


def told(template: str, details: Mapping[str, Any], tell: Tell) -> str:
    """A cause is a failure of its own, in a sentence of its own; so is each reason, in a clause."""
    if isinstance(cause := details.get("cause"), Mapping):
        details = {**details, "cause": tell(cause.get("problem", ""), cause.get("details", {}))}
    if isinstance(reasons := details.get("reasons"), list):
        details = {**details, "reasons": [reason(each, tell) for each in reasons]}
    said = wording.sentence(template, details).strip()
    return f"{details[AT]}: {said}" if details.get(AT) else said


def reason(said: Any, tell: Tell) -> Any:
    """Plain text, as older versions have it, stays as it is."""
    if not isinstance(said, Mapping):
        return said
    told = tell(said.get("problem", ""), said.get("details", {})) or said.get("error", "")
    return wording.uncapitalized(told)
