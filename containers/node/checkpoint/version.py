"""The version of the snapshots this panel makes: major << 8 | minor, as vzcptcheck tells it."""

MAJOR, MINOR = 1, 0
VERSION = MAJOR << 8 | MINOR


def accepts(version: int) -> bool:
    """Whether a snapshot of that version can be restored here."""
    return version >> 8 == MAJOR and version & 0xFF <= MINOR
