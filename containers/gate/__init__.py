"""What stands before every request: how many a visitor may send, and how long one may take."""

from containers.gate.door import Door

__all__ = ["Door"]
