"""File descriptors that are closed again, whatever happens."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def closing(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)
