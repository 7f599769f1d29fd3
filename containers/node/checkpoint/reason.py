"""A reason of a verdict: a machine word with its details, as a failure's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from containers.node import problems
from containers.node.errors import OperationError
from containers.node.faults import Fault


@dataclass(frozen=True)
class Reason:
    """word: a Problem's. error: the sentence where there is no word, or one of another version."""

    word: str
    details: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def of(cls, error: OperationError) -> "Reason":
        return cls(error.problem.value, error.details, f"{error}")

    @classmethod
    def doubt(cls, word: Fault, **details: object) -> "Reason":
        return cls.of(OperationError(word, **details))

    @classmethod
    def read(cls, said: Any) -> "Reason":
        """From JSON; what is older than the words is plain text."""
        if not isinstance(said, Mapping):
            return cls("", {}, f"{said}")
        return cls(said.get("problem") or "", said.get("details") or {}, said.get("error") or "")

    @property
    def fault(self) -> str:
        """Which doubt it is; empty for a failure of another kind."""
        return f"{self.details.get('fault', '')}"

    def told(self, *, staff: bool) -> str:
        tell = problems.for_staff if staff else problems.for_customers
        return tell(self.word, self.details) or self.error

    @property
    def cause(self) -> dict[str, Any]:
        return {"problem": self.word, "details": dict(self.details)}

    def words(self) -> dict[str, Any]:
        """As it is kept in a row or in a failure's details."""
        return {**self.cause, "error": self.told(staff=True)}
