"""vzctl's exit codes: those of vzctl 4.11 (its vzerror.h and man page)."""

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    SYSTEM = 3
    RESOURCE = 6
    ENV_CREATE = 7
    EXEC = 8
    LOCKED = 9
    NO_VZ_CONF = 10
    NO_ACCESS = 12
    NO_CT_CONF = 14
    CHECKPOINT = 16
    RESTORE = 17
    BAD_SYNTAX = 20
    BAD_VALUE = 21
    NO_TEMPLATE_NAME = 29
    NOT_RUNNING = 31
    RUNNING = 32
    STOP = 33
    NOT_MOUNTED = 40
    MOUNTED = 41
    NO_PRIVATE = 43
    EXISTS = 44
    NO_SPACE = 46
    BAD_TEMPLATE = 47
    MOUNT = 50
    UMOUNT = 51
    HOSTNAME = 70
    NETWORK = 71
    DNS = 72
    PASSWORD = 74
    ADDRESS_IN_USE = 78
    SCRIPT = 79
    BAD_CONF = 85
    NO_TEMPLATE = 91
    REINSTALL = 94
    DISABLED = 105
    CUSTOM_REINSTALL = 128
    NAME = 131
