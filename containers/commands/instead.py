"""vzctl's commands that have no meaning here, and what to use in their place."""

from containers.grammar import BadSyntax
from containers.node.errors import BadUsages

# vzctl compact ends in 0 where there is no disk image, and is run over all containers by cron.
NOTHING_TO_DO = {
    "compact": "There is nothing to compact: a container's files are in no disk image, and what"
    " it deletes is free at once.",
}
QUOTA = "the limit of pctl set CTID --diskspace holds as long as it is set, and needs no switching"
INSTEAD = {
    "convert": "a container's files are in a subvolume, and in no disk image",
    "quotaon": QUOTA,
    "quotaoff": "pctl set CTID --diskspace unlimited takes the limit away",
    "quotainit": QUOTA,
    "snapshot-mount": "osctl psc clone makes a container of a snapshot, whose files can be read;"
    " the snapshot's own are in <vz>/snapshots/CTID/UUID/fs",
    "snapshot-umount": "snapshots are not mounted",
    "register": "pctl create makes a container, and osctl psc publish a template of one",
    "unregister": "pctl set CTID --disabled yes keeps a container from being started",
    "migrate": "containers stay on their node",
    "pause": "pctl suspend keeps its processes and frees its memory",
    "recover": "pctl reinstall gives it a new system, and keeps the old one's files",
    "reset_password": "pctl set CTID --userpasswd USER:PASSWORD sets one",
}


def answer(command: str) -> list[str] | None:
    """What to print for a command that has nothing to do. Raises BadSyntax for one that is
    refused; None for any other.
    """
    if command in INSTEAD:
        raise BadSyntax(BadUsages.INSTEAD, command=command, instead=INSTEAD[command])
    return [NOTHING_TO_DO[command]] if command in NOTHING_TO_DO else None
