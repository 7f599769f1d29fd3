"""A line of the benchmark's table: what was measured, and the limit it has to hold."""

from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("", "measured", "limit", "")


@dataclass(frozen=True)
class Row:
    """unit is written behind the figures; without a limit the row only informs."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    strict: bool = False  # the limit itself is too much already

    @property
    def holds(self) -> bool:
        if self.limit is None:
            return True
        return self.value < self.limit or (self.value == self.limit and not self.strict)

    @property
    def words(self) -> tuple[str, str, str, str]:
        limit = "" if self.limit is None else f"{'<' if self.strict else '≤'} {self.limit:g}"
        verdict = "" if self.limit is None else "holds" if self.holds else "BROKEN"
        return (
            self.what,
            f"{self.value:.2f} {self.unit}".strip(),
            f"{limit} {self.unit}".strip() if limit else "",
            verdict,
        )


def table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, *(row.words for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            (word.ljust(width) if i in (0, 3) else word.rjust(width))
            for i, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
