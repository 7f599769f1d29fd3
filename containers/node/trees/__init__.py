"""Trees that a container's root can write: every path in them is hostile."""
