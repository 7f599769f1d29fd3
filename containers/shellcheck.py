"""What shellcheck says of a script: advice, never a refusal."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from containers.node.errors import OperationError
from containers.node.processes.run import call

TIMEOUT = 5  # seconds
LARGEST = 256 << 10  # bytes; beyond, it takes longer than anybody waits
# The files that scripts source are on the node, not here.
PASSED_OVER = "SC1090,SC1091"


@dataclass(frozen=True)
class Finding:
    """Lines and columns count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int
    level: str
    code: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message} (SC{self.code})"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def of(body: bytes) -> list[Finding]:
    """The findings; none when shellcheck is missing, too slow, or does not know the shell."""
    program = Path(sys.executable).with_name("shellcheck")
    found = f"{program}" if program.exists() else shutil.which("shellcheck")
    if not found or len(body) > LARGEST:
        return []
    argv = [found, "--format=json1", f"--exclude={PASSED_OVER}", *shell(body), "-"]
    try:
        answer = json.loads(call(argv, stdin=body, ok=(0, 1), timeout=TIMEOUT))
    except (OperationError, ValueError):
        return []
    return [
        Finding(
            line=each["line"],
            column=each["column"],
            end_line=each["endLine"],
            end_column=each["endColumn"],
            level=each["level"],
            code=each["code"],
            message=each["message"],
        )
        for each in answer["comments"]
    ]


def shell(body: bytes) -> list[str]:
    """Without a shebang, it's the container's bash that reads the script."""
    return [] if body.startswith(b"#!") else ["--shell=bash"]
