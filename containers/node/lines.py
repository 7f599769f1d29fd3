"""Lines as the kernel, a shell and a C library end them: at a newline, and nowhere else.

str.splitlines ends them at ten other characters as well, and reading a file as text at a carriage
return. Whoever may choose a path, a name or a text could write lines of their own with those.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def lines_in(text: str) -> list[str]:
    """The lines of a text, without their ends."""
    found = text.split("\n")
    return found if found[-1] else found[:-1]


def lines_of(path: "Path | str") -> list[str]:
    """Those of a file; bytes that are no UTF-8 survive os.fsencode. Raises OSError."""
    return lines_in(text_of(path))


def text_of(path: "Path | str") -> str:
    """What is in a file, as it is. Raises OSError."""
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")
