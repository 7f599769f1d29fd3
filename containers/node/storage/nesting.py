"""What a container may not ask of btrfs: subvolumes of its own, which no disk limit would count.

Any user may make them, and a new one has a quota of its own without a limit. So the ioctls that
do are refused in containers (node/syscalls.py).
"""

# linux/btrfs.h: SNAP_CREATE, SUBVOL_CREATE, SNAP_CREATE_V2, SUBVOL_CREATE_V2
IOCTLS = (0x50009401, 0x5000940E, 0x50009417, 0x50009418)
