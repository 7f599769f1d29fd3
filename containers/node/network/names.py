"""What a container's link, its hardware addresses and the panel's table are called.

Interface names have at most 15 characters: v, the instance's 8 hex digits, and the CT ID in
base 36 (CT IDs stay below 36⁶), so a name belongs to one container of one panel.
"""

from containers.node.conf import NodeConf

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def veth(conf: NodeConf, ctid: int) -> str:
    """The node's end of a container's link."""
    return f"{prefix(conf)}{base36(ctid)}"


def prefix(conf: NodeConf) -> str:
    """What the links of all containers of this panel begin with, and no other's."""
    return f"v{conf.instance}"


def ctid_of(conf: NodeConf, interface: str) -> int | None:
    """Whose link it is; None when it isn't a container's of this panel."""
    digits = interface.removeprefix(prefix(conf))
    if digits == interface or not digits or set(digits) - set(DIGITS):
        return None
    return int(digits, 36)


def table(conf: NodeConf) -> str:
    return f"panel_{conf.instance}"


def mac(conf: NodeConf, ctid: int) -> str:
    """The container's hardware address: fixed, so that restored connections find it again."""
    return f"02:{tail(conf, ctid)}"


def node_mac(conf: NodeConf, ctid: int) -> str:
    """The node's end. Fixed too, or udev would change it just after the link was made."""
    return f"06:{tail(conf, ctid)}"


def tail(conf: NodeConf, ctid: int) -> str:
    return ":".join([conf.instance[:2], *(f"{byte:02x}" for byte in ctid.to_bytes(4, "big"))])


def base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if not number:
            return digits
