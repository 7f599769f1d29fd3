"""What exactly is wrong with a value, a file, an archive or a command line.

Each has a machine word, the sentence for staff, and another for customers where they need one.
What may be done about it is the same for all of a kind: put another in its place.
"""

from enum import StrEnum
from typing import Self

from containers.node.codes import Code


class Fault(StrEnum):
    staff: str
    customers: str
    code: Code | None

    def __new__(
        cls, word: str, staff: str, code: Code | None = None, *, customers: str = ""
    ) -> Self:
        fault = str.__new__(cls, word)
        fault._value_ = word
        fault.staff, fault.customers, fault.code = staff, customers or staff, code
        return fault


class BadValues(Fault):
    """Of a value that somebody gave."""

    # what a container is called
    CTID_RANGE = "ctid-range", "The CT ID {ctid} can't be used: they go from {least} to {most}."
    CTID_MISSING = "ctid-missing", "The CT ID is missing."
    CTID_ZERO = "ctid-zero", "Bad CT ID 0: that is the node itself."
    NOT_A_CTID = "not-a-ctid", "Bad CT ID {word}."
    HOSTNAME_LONG = (
        "hostname-too-long",
        "The host name is longer than {most} characters.",
        Code.HOSTNAME,
    )
    NOT_A_HOSTNAME = (
        "not-a-hostname",
        "This is not a host name: {word!r}. It has letters, digits, hyphens, underscores and "
        "dots, and no hyphen at either end.",
        Code.HOSTNAME,
    )
    HOSTNAME_NUMBER = (
        "hostname-ends-in-number",
        "This is not a host name: {word!r} ends in a number.",
        Code.HOSTNAME,
    )
    NOT_A_NAME = (
        "not-a-name",
        "This can't be a container's name: {word!r}. It has letters, digits, spaces and - + _ .",
    )
    NAME_IS_CTID = "name-is-ctid", "The name {word} would be taken for a CT ID.", Code.NAME
    NAME_TAKEN = "name-taken", "The name {name} is {holder}'s already.", Code.NAME
    LINE_LONG = "line-too-long", "The {what} is longer than {most} characters."
    LINE_BROKEN = "line-broken", "The {what} has a line break or control character in it."
    NOT_UTF8 = "not-utf8", "The {what} is not UTF-8."
    NOT_A_TIME = (
        "not-a-time",
        "This is not a time, such as 2026-01-31 or 2026-01-31T12:00: {word!r}.",
    )
    NOT_A_HEAD = "not-a-head", "This is not LINES:HASH, as pctl audit verify prints it: {word!r}."
    NOTHING_TO_APPROVE = (
        "nothing-to-approve",
        "The {script} runs in the container: only scripts that run on the node are approved.",
    )
    NOT_A_SETTING = "not-a-setting", "This is not the name of a setting: {word!r}."

    # limits
    OUT_OF_RANGE = "out-of-range", "{what:capital} must be from {least} to {most}{unit}."
    NOT_PROCESSORS = "not-processors", "This is not a number of processors: {word!r}."
    NOT_A_NUMBER = "not-a-number", "This is not a whole number from 0 on: {word!r}."
    TOO_MANY_DIGITS = (
        "too-many-digits",
        "This is not a whole number of at most {most} digits: {word!r}.",
    )
    NOT_A_SIZE = "not-a-size", "This is not a size, such as 512M or 10G: {word!r}."
    BELOW_MEBIBYTE = (
        "below-a-mebibyte",
        "The size {word} is less than a mebibyte: give a unit, as in {example}.",
    )
    NOT_YES_OR_NO = "not-yes-or-no", "This is neither yes nor no: {word!r}."
    NOT_A_STOP = "not-a-stop", "This is none of {known:list}: {word!r}."
    NO_DISK_LIMITS = (
        "no-disk-limits",
        "The disk space can't be limited here: this node's containers are not on btrfs.",
    )

    # addresses and names
    NOT_AN_ADDRESS = "not-an-address", "This is not an IP address: {word!r}."
    IS_A_NETWORK = (
        "is-a-network",
        "This is a network: {word}. Give the address alone, such as {address}.",
    )
    ADDRESS_UNUSABLE = "address-unusable", "A container can't have the address {address}: {reason}."
    ADDRESS_NOT_ITS = "address-not-its", "The container does not have the address {address}."
    IPV6_OFF = "ipv6-off", "IPv6 is off on this node, so no container can have {address}."
    NOT_A_RESOLVER = (
        "not-a-name-server",
        "This is not the IP address of a name server: {word!r}.",
        Code.DNS,
    )
    RESOLVER_UNUSABLE = (
        "name-server-unusable",
        "The address of a name server can't be {word}.",
        Code.DNS,
    )
    RESOLVERS_MANY = (
        "name-servers-too-many",
        "A resolver asks {most} name servers at most.",
        Code.DNS,
    )
    NOT_A_DOMAIN = "not-a-domain", "This is not a domain name: {word!r}."
    NOT_A_SEARCH_DOMAIN = (
        "not-a-search-domain",
        "This is not a domain to search: {word!r}.",
        Code.DNS,
    )
    SEARCH_LONG = (
        "search-too-long",
        "A resolver searches {domains} domains and {characters} characters at most.",
        Code.DNS,
    )

    # people and keys
    NOT_A_USER = "not-a-user", "This is not the name of a user: {word!r}."
    NO_SUCH_USER = "no-such-user", "The container has no user {user}.", Code.PASSWORD
    PASSWORD_EMPTY = "password-empty", "The password is empty.", Code.PASSWORD
    PASSWORD_BROKEN = (
        "password-broken",
        "The password has a line break or control character in it.",
        Code.PASSWORD,
    )
    PASSWORD_LONG = "password-too-long", "The password is longer than {most} bytes.", Code.PASSWORD
    PASSWORD_WEAK = "password-weak", "The password is refused: {why:clauses}.", Code.PASSWORD
    NOT_A_HASH = "not-a-hash", "This is not the hash of a password.", Code.PASSWORD
    KEY_PRIVATE = (
        "key-private",
        "This is a private key: keep it secret and give the line of its .pub file.",
    )
    KEY_LINES = "key-lines", "An SSH key is a single line."
    KEY_OPTIONS = (
        "key-options",
        "An SSH key begins with its type, like ssh-ed25519; options are refused.",
    )
    NOT_A_KEY = "not-a-key", "This is not an OpenSSH public key, like ssh-ed25519 AAAA… name."
    KEY_DAMAGED = "key-damaged", "The {kind} key is incomplete or damaged."
    RSA_TOO_SHORT = "rsa-too-short", "The RSA key is too short: it needs {bits} bits."
    NO_KEYS = "no-keys", "There is no key in {path}."

    # paths and files
    NOT_A_FILE = "not-a-file", "The root of the container is not a file."
    NOT_A_PATH = "not-a-path", "This is not a plain path: {path!r}."
    PATH_NOT_WHOLE = "path-not-whole", "Give the whole path of the file, from / on."
    PATH_QUOTED = "path-quoted", "The path {path} has white space or quotes in it."
    NOT_AN_ID = "not-an-id", "No id of the container's is {number}."
    NO_FILE = "no-file", "There is no file {path} on the node."
    FILE_ODD = "file-odd", "The file {path} is not a plain file."
    FILE_UNREADABLE = "file-unreadable", "The file {path} can't be read: {why:clause}."
    FILE_LONG = "file-too-long", "The file {path} is longer than {most} bytes."

    # nodes, pools and templates
    NO_DRIVER = "no-driver", "There is no storage driver {name}."
    NOT_A_NETWORK = (
        "not-a-network",
        "The value of {key} in vz.conf is not an IPv4 network: {why:clause}.",
        Code.BAD_CONF,
    )
    POOL_TINY = "pool-tiny", "The value of {key} in vz.conf has no room: {network}.", Code.BAD_CONF
    IDS_OF_NODE = (
        "ids-of-node",
        "The containers' ids can't begin at {base}: those are the node's own.",
    )
    NOT_A_TEMPLATE_NAME = (
        "not-a-template-name",
        "This can't be the name of a template: {word!r}. It has letters, digits and - . _ +, "
        "and begins with a letter or digit.",
        Code.NO_TEMPLATE_NAME,
    )
    NO_RECIPE = (
        "no-recipe",
        "There is no recipe for {name}, only for {known:list}; pctl template import makes any "
        "other of a tarball.",
    )
    NOT_A_SNAPSHOT = "not-a-snapshot", "This is not the UUID of a snapshot: {word!r}."
    NO_GROUP = "no-group", "There is nothing called {word} to keep, only: {known:list}."
    NOT_A_PROFILE = "not-a-profile", "The option --undo-profile is one of: {known:list}."
    NOT_A_REACH = "not-a-reach", "The option --reach is one of: {known:list}."

    # scripts
    NO_INTERPRETER = (
        "no-interpreter",
        "The first line has to name the interpreter, as in #!/bin/bash.",
    )
    SCRIPT_BINARY = "script-binary", "The script has a NUL byte in it: that is no text."
    SCRIPT_EMPTY = "script-empty", "The script is empty."
    SCRIPT_TOO_LARGE = "script-too-large", "The script is larger than 1 MiB."
    SCRIPTS_DIFFER = "scripts-differ", "The files {one} and {other} differ: choose one with --file."
    NO_SUCH_SCRIPT = "no-such-script", "{owner:capital} has no script {name}, only: {known:list}."
    NO_SCRIPT = "no-script", "There is no {script}."
    NO_VERSION = "no-version", "{scope:Whose} {action:script} has no version {number}."
    NOTHING_TO_IMPORT = (
        "nothing-to-import",
        "There is nothing to import: there is no {whose} here. Looked for {places:list}.",
    )

    # what there is
    NO_OPERATION = "no-operation", "There is no operation {word}."
    NOT_CANCELLABLE = "not-cancellable", "The {operation} can't be cancelled: it {stands}."
    SNAPSHOT_NAME_TAKEN = (
        "snapshot-name-taken",
        "Another snapshot of {container} is called {name!r}: choose another name.",
        Code.NAME,
    )
    NO_SNAPSHOT = "no-snapshot", "There is no snapshot {word} of CT {ctid}."
    AMBIGUOUS = "ambiguous", "The word {word} may be any of {found:list}."
    NO_USER = "no-user", "There is no user {name}: pctl user create makes one."
    NOT_AN_ACCOUNT = "not-an-account", "The user can't be made: {why:clauses}."
    NOT_USER_PASSWORD = (
        "not-user-password",
        "Give USER:PASSWORD, or - to read that from standard input.",
    )
    LAST_OF_STAFF = (
        "last-of-staff",
        "The user {name} is the last of the staff who may sign in; make another first.",
    )
    NO_NODE = "no-node", "There is no node {name}."
    NO_FIELD = "no-field", "There is no field {name}, only: {known:list}."
    ONE_CONSOLE = "one-console", "There is no tty {number}: a container has one console, 1."
    NOT_A_UUID = "not-a-uuid", "This is not a UUID: {word!r}."
    SNAPSHOT_THERE = "snapshot-there", "There is a snapshot {uuid} already."


class BadTrees(Fault):
    """Of a file in a container's tree, which its root can repair."""

    MISSING = "missing", "The file {path} in the container is missing."
    NOT_OPENED = "not-opened", "The directory {path} can't be opened: {why:clause}."
    OTHER_KIND = "other-kind", "The file {path} in the container is a {found}, not a {wanted}."
    THROUGH_LINK = "through-a-link", "The file {path} in the container is reached through a link."
    BELOW_FILE = (
        "below-a-file",
        "The file {path} in the container lies below something that is not a directory.",
    )
    LEADS_NOWHERE = "leads-nowhere", "The file {path} in the container is there, but leads nowhere."
    OTHER_SYSTEM = (
        "other-file-system",
        "The file {path} in the container is on another file system, mounted there.",
    )
    IS_DIRECTORY = "is-directory", "The file {path} in the container is a directory, not a file."
    CHANGING = "changing", "The file {path} in the container changes or is locked all the time."
    READ_ONLY = "read-only", "The file {path} in the container is on a read-only file system."
    FAILS = "fails", "The file {path} in the container can't be used: {why:clause}."
    TOO_LARGE = "too-large", "The file {path} in the container is larger than {most:size}."
    MANY_FILES = "too-many-files", "The directory {path} in the container has too many files."
    CHANGED = "changed", "The directory {path} in the container changed while it was made."
    DAMAGED_LINE = "damaged-line", "The file {path} in the container has a damaged line for {user}."
    OF_ANOTHER = "of-another-user", "The directory {path} in the container belongs to another user."
    NOT_REAL = (
        "not-real",
        "The file {path} in the container is a {found}, where a directory has to be: repair it, or "
        "reinstall the container.",
    )
    NOT_PLAIN = (
        "not-plain",
        "The file {path} in the container is no plain file of a sensible size: repair it first.",
    )


class Unfits(Fault):
    """Of an archive or a tree that is to be a template."""

    NOT_AN_ARCHIVE = (
        "not-an-archive",
        "The file is not a tar archive, or a damaged one: {why:clause}.",
    )
    NOT_UNPACKED = "not-unpacked", "The archive {archive} could not be unpacked: {why:clause}."
    HEADER_LONG = (
        "header-too-long",
        "There is a name or an attribute in it that is longer than 1 MiB.",
    )
    TOO_MUCH = "too-much", "There are more files or bytes in it than a root file system may have."
    ODD_KIND = "odd-kind", "The entry {path} is of a kind that is not known here."
    DEVICE = (
        "device",
        "The entry {path} is a device node, which a container's file system may not have.",
    )
    FOREIGN_ID = (
        "foreign-id",
        "The entry {path} belongs to id {number}, which is not one a container can have.",
    )
    BELOW_LINK = "below-a-link", "The entry {path} lies below a link, which could lead anywhere."
    BELOW_FILE = "below-a-file", "The entry {path} lies below something that is not a directory."
    TWICE_DIRECTORY = (
        "twice-directory",
        "The entry {path} is in the archive twice, once as a directory.",
    )
    TWICE_FILE = "twice-file", "The entry {path} is in the archive twice, once as no directory."
    CUT_OFF = "cut-off", "The archive ends in the middle of {path}."
    BAD_HARD_LINK = (
        "bad-hard-link",
        "The entry {path} is a hard link to {target}, which is no file.",
    )
    ABSOLUTE = "absolute-path", "The entry {path} has the absolute path {other} in it."
    DOTS = "dots-in-path", "The entry {path} has a .. in its path."
    NOT_A_PATH = "not-a-path", "The entry {path} is not the path of a file."
    TOO_DEEP = "too-deep", "There are more than {most} directories inside one another."
    OWNER_STAYS = "owner-stays", "The owner of {path} can't be changed: {why:clause}."
    NO_INIT = "no-init", "There is no init in it, such as /sbin/init."
    NO_DIRECTORY = (
        "no-directory",
        "There is no root file system in it: there is no directory {path} in it.",
    )
    NO_SHELL = "no-shell", "There is no root file system in it: there is no {path} in it."


class BadUsages(Fault):
    """Of a command line."""

    BAD_COMMAND = "bad-command", "Bad command: {words}; {program} help tells which there are."
    OPERAND_MISSING = "operand-missing", "The operand {name} is missing (usage: {usage})."
    OPERAND_SPARE = "operand-spare", "The operand {word!r} is too much (usage: {usage})."
    INSTEAD = "instead", "There is no pctl {command} here: {instead}."
    OPTION_MISSING = "option-missing", "The option {name} is missing."
    NOT_BOTH = "not-both", "The options {one} and {other} exclude one another."
    OPTION_UNKNOWN = "option-unknown", "There is no option {name} here."
    OPTION_AMBIGUOUS = "option-ambiguous", "The option {name} may mean any of {found:list}."
    OPTION_REFUSED = "option-refused", "The option {name} can't be done: {why:clause}."
    VALUE_MISSING = "value-missing", "The option {name} needs a value: {value}."
    VALUE_SPARE = "value-spare", "The option {name} takes no value."
    REASON_MISSING = "reason-missing", "The option {name} needs --reason: why it is passed over."
    NOBODY_TO_ASK = "nobody-to-ask", "Nobody is there to ask: give --yes to approve it unasked."
    NAME_MISSING = "name-missing", "The option --file needs the NAME of what it is."
    ONE_OF_BOTH = "one-of-both", "Give either a CT ID or --global, not both."
    NOTHING_TO_CHANGE = (
        "nothing-to-change",
        "There is nothing to change: give an option, as --undo-profile.",
    )
