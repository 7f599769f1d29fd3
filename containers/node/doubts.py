"""Why a snapshot can't be made or relied on, or not for certain: machine words, as faults are."""

from typing import Self

from containers.node.faults import Fault


class Doubts(Fault):
    """What a look at a snapshot has found: the word, what staff read of it, what customers do."""

    def __new__(cls, word: str, staff: str, customers: str = "") -> Self:
        doubt = str.__new__(cls, word)
        doubt._value_ = word
        doubt.staff, doubt.customers, doubt.code = staff, customers or staff, None
        return doubt

    # what is there of it
    NO_SUCH = (
        "no-such-snapshot",
        "There is no such snapshot on this node.",
        "There is no such snapshot on the server.",
    )
    NOT_WHOLE = "not-whole", "It is not whole: it is being made, or making it failed."

    # its files
    NO_MANIFEST = (
        "no-manifest",
        "Its manifest is missing.",
        "The list of its files is missing.",
    )
    OTHER_MANIFEST = (
        "other-manifest",
        "Its manifest is not the one that was written when it was made.",
        "The list of its files is not the one that was written when it was made.",
    )
    BAD_MANIFEST = (
        "bad-manifest",
        "Its manifest can't be read.",
        "The list of its files can't be read.",
    )
    UNRECORDED = (
        "manifest-unrecorded",
        "The panel has no record of its manifest to compare it with.",
        "The panel has no record of its files to compare them with.",
    )
    FILES_MISSING = (
        "files-missing",
        "Missing: {names:few}.",
        "Some of its files are missing.",
    )
    FILES_ADDED = (
        "files-added",
        "Not in its manifest: {names:few}.",
        "There are files in it that were not there when it was made.",
    )
    FILES_CHANGED = (
        "files-changed",
        "Not as it was written: {names:few}.",
        "Some of its files are not as they were written.",
    )

    # its disk
    OTHER_FORMAT = (
        "other-format",
        "Its format is version {version}; this panel restores {known}.",
    )
    PROCESSES_MISSING = "processes-missing", "Its processes are missing."
    DISK_MISSING = "disk-missing", "Its disk is missing."
    PLAIN_COPY = (
        "plain-copy",
        "Its disk is a plain copy on this node's storage: nothing tells if it was changed.",
        "Its disk is a plain copy: nothing tells if it was changed.",
    )
    OTHER_DISK = (
        "other-disk",
        "Its disk is not the read-only one that was kept with it.",
        "Its disk is not the one that was kept with it.",
    )
    DISK_FULL = (
        "disk-full",
        "The disk is full: {free:size} are free.",
        "The server has too little disk space left.",
    )
    SAFETY_SPACE = (
        "safety-space",
        "The safety snapshot of a restore takes {needed:size}, {free:size} are free.",
        "The server may have too little disk space for a restore's safety snapshot.",
    )

    # where its processes are to live
    OTHER_CRIU = (
        "other-criu",
        "It was made with CRIU {made}, and this node has {here}.",
        "Its processes were kept by a newer program than the server has.",
    )
    NO_FEATURE = (
        "no-feature",
        "This node's processor has no {feature}, which its processes may use.",
        "The server's processor lacks something that its processes may use.",
    )
    OTHER_MACHINE = (
        "other-machine",
        "Its processes are for {made}, and this node is {here}.",
        "Its processes are for another kind of machine.",
    )
    OLDER_KERNEL = (
        "older-kernel",
        "It was made under kernel {made}; this one is older.",
        "It was made under a newer kernel than the server has.",
    )
    ADDRESS_GONE = (
        "address-gone",
        "The address {address} is no longer its own: what listens on it is not heard.",
    )
    ADDRESS_IN_USE = (
        "address-in-use",
        "The address {address} is in use: {holder:clause}.",
        "The address {address} is in use.",
    )
    MOUNT_DUE = (
        "mount-due",
        "The directory {path} has to be mounted by its mount scripts.",
    )
    MOUNT_UNSCRIPTED = (
        "mount-unscripted",
        "The directory {path} was mounted by a mount script, and there is none any more.",
    )
    NOT_MOUNTED = (
        "not-mounted",
        "The directory {path} is not mounted now: its mount scripts must do that.",
    )
    MOUNT_ABSENT = (
        "mount-absent",
        "Nothing is mounted at {path} in the container that runs now, where a mount script had "
        "mounted something: start it with that script first.",
        "Nothing is mounted at {path} in the container that runs now, as there was then.",
    )
    MOUNT_UNKNOWN = (
        "mount-unknown",
        "Which files its processes use of what was mounted at {path} is not known: it was made by "
        "an older version of the panel.",
        "Which files its processes use of what was mounted at {path} is not known.",
    )
    OTHER_MOUNT = (
        "other-mount",
        "What is mounted at {path} is not the same as then: its {what} was {was} and is {now}.",
        "What is mounted at {path} is not the same as then.",
    )
    MOUNT_SMALL = (
        "mount-too-small",
        "What was in the tmpfs at {path} takes {needed:size}, and it may hold {limit:size} now.",
        "What was at {path} takes {needed:size}, and {limit:size} fit there now.",
    )
    FILE_GONE = (
        "file-gone",
        "The file {path} is missing, which {names:list} used: at {mount} are files of the node, "
        "which are no part of the snapshot.",
        "The file {path} is missing, which {names:list} used: at {mount} are files of the server, "
        "which are no part of the snapshot.",
    )
    FILE_CHANGED = (
        "file-changed",
        "The file {path} was changed since then, which {names:list} used: at {mount} are files of "
        "the node, which are no part of the snapshot.",
        "The file {path} was changed since then, which {names:list} used: at {mount} are files of "
        "the server, which are no part of the snapshot.",
    )
    FILE_NEWER = (
        "file-newer",
        "The file {path} was written to since then, which {names:list} read: whether it is the "
        "same can't be told.",
    )
    FILES_UNSEEN = (
        "files-unseen",
        "Its processes used {number} files more at {path} than are looked at.",
    )
    OVERLAY = (
        "overlay-inside",
        "An overlay was mounted at {path} in the container, which can't be mounted again.",
    )
    NO_DEVICE = (
        "no-device",
        "The device {device} is missing on this node.",
        "A device that its processes use is missing on the server.",
    )
    MEMORY = (
        "memory",
        "Its processes take {needed:size} of memory, and {free:size} are available.",
        "The server has too little memory available for its processes.",
    )
    SYSTEMD = (
        "systemd",
        "It runs systemd: most of its services survive a restore, logind and sessions may start "
        "anew; a trial restore would tell.",
    )

    ENDED = (
        "ended",
        "In a trial restore {processes} of {of} processes came back; ended: {ended:few}.",
    )

    # what kept the look from being one
    NOT_LOOKED_AT = (
        "not-looked-at",
        "It can't be looked at: {why:clause}.",
        "It can't be looked at.",
    )
    NODE_SILENT = (
        "node-silent",
        "The node {node} has not answered.",
        "The server has not answered.",
    )
    TRIAL_ENDED = "trial-ended", "The trial restore was {state}."


class Hindrances(Fault):
    """What in a running container hinders a dump of its processes."""

    EXTERNAL = (
        "external-process",
        "The external process {pid} ({name}) is inside the container: an exec session is no part "
        "of a snapshot.",
    )
    NAMESPACE = "namespace", "The process {name} ({pid}) has a {kind} namespace of its own."
    CLOCKS = (
        "clocks",
        "The process {name} ({pid}) has other clocks than the container, which was restored: an "
        "older version of the panel began it there. End it or start it again.",
        "The process {name} ({pid}) has other clocks than the rest: end it or start it again.",
    )
    TRACED = (
        "traced",
        "The process {name} ({pid}) is being traced: end the debugger or strace first.",
    )
    HEADLESS = (
        "headless",
        "The first thread of the process {name} ({pid}) has ended and others go on, which can't be "
        "kept: end it or start it again.",
    )
    VFORK = (
        "vfork",
        "The process {name} ({pid}) waits for a program that it is about to start (vfork): try "
        "again when it has.",
    )
    UNINTERRUPTIBLE = (
        "uninterruptible",
        "The process {name} ({pid}) waits for a device or a file system that does not answer, and "
        "can't be halted: try again when it goes on.",
    )
    SESSION = (
        "exec-session",
        "The process {name} ({pid}) is connected by the socket {path} to {peer} ({peer_pid}), "
        "which an exec session runs: end that first.",
    )
    SOCKET = (
        "outside-socket",
        "The process {name} ({pid}) is connected by the socket {path} to a process outside the "
        "container: have it close that first.",
    )
    OUTSIDE = (
        "outside-file",
        "The process {name} ({pid}) has {path} open, which is outside the container.",
    )
    QUEUE = (
        "message-queue",
        "The process {name} ({pid}) has the POSIX message queue {path} open; queues can't be kept.",
    )
    QUEUES = (
        "message-queues",
        "There are POSIX message queues in it, which can't be kept: {names:few}. Whoever made them "
        "has to remove them; they are in /dev/mqueue.",
    )
    FILE_SYSTEM = "file-system", "A file system of the kind {kind} is mounted at {path}."
    DELETED_FILE = (
        "deleted-file",
        "The process {name} ({pid}) uses {path}, which was deleted, in what a mount script has "
        "mounted at {mount}: it can't be made again there.",
        "The process {name} ({pid}) uses {path}, which was deleted, in what is mounted at {mount}: "
        "it can't be made again there.",
    )
    REMOTE_FILE = (
        "remote-file",
        "The process {name} ({pid}) uses {path}; at {mount} is a file system of the kind {kind}.",
    )
    INTERFACE = "interface", "Its network interface {name} would be lost."
    IO_URING = "io-uring", "The process {name} ({pid}) uses io_uring."
    BPF_PROGRAM = "bpf-program", "The process {name} ({pid}) has a BPF program loaded."
    BPF_MAP = "bpf-map", "The process {name} ({pid}) has a BPF map loaded."
    PERF_EVENTS = "perf-events", "The process {name} ({pid}) measures performance."
    PAGE_FAULTS = "page-faults", "The process {name} ({pid}) handles page faults."
    MACHINE = "virtual-machine", "The process {name} ({pid}) runs a virtual machine."


BY_TRIAL = frozenset({Doubts.SYSTEMD, Doubts.ENDED})  # those that a trial restore takes away
