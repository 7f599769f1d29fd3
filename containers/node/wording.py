"""How the details of a failure are put into a sentence.

A template is one of str.format, with formats of its own: {exit:ended}, {scope:whose}, {need:size}.
"""

from collections.abc import Callable, Mapping, Sequence
from signal import Signals
from string import Formatter
from typing import Any

from containers.node.actions import BY_NAME, Scope

MIB = 1 << 20
FEW = 5  # names that are told
SPANS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))  # in seconds
UNKNOWN = "?"  # in the place of a detail that an older version did not give


def sentence(template: str, details: Mapping[str, Any]) -> str:
    return WORDS.vformat(template, (), details)


def capitalized(text: str) -> str:
    """With a capital at its beginning; the rest is left as it is."""
    return f"{text[:1].upper()}{text[1:]}"


def uncapitalized(text: str) -> str:
    """A sentence as a clause; one that begins with an abbreviation is left as it is."""
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def fields(template: str) -> set[str]:
    """The details that a template can't do without."""
    return {name for _, name, _, _ in WORDS.parse(template) if name}


def ended(exit: int) -> str:
    """How a process ended: exit codes ≥ 0, signals negated."""
    if exit >= 0:
        return f"ended with exit code {exit}"
    try:
        return f"was ended by signal {-exit} ({Signals(-exit).name})"
    except ValueError:
        return f"was ended by signal {-exit}"


def script(action: str) -> str:
    hook = action in BY_NAME and BY_NAME[action].hook
    return f"vps.{action} script" if hook else f"{action} script"


def size(bytes: int) -> str:
    return f"{-(-bytes // MIB)} MiB"


def clause(text: Any) -> str:
    """What somebody else has said, without its full stop: the sentence ends behind it."""
    return f"{text}".strip().rstrip(".")


def clauses(texts: Sequence[Any]) -> str:
    return "; ".join(map(clause, texts))


def few(names: Sequence[Any]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"{', '.join(f'{name}' for name in names[:FEW])}{more}"


def said(text: Any) -> str:
    return f": {clause(text)}" if clause(text) else ""


def lived(seconds: float) -> str:
    return f"{span(seconds)} after it was started"


def span(seconds: float) -> str:
    """How long, in the two units that tell most of it."""
    for unit, name, smaller, small in SPANS:
        if seconds >= unit:
            many, rest = divmod(seconds, unit)
            return f"{many:.0f} {name} {rest // smaller:.0f} {small}"
    return f"{seconds:.1f} s"


def console(lines: Sequence[str]) -> str:
    """What it showed last, as the end of a sentence."""
    return f"; on its console: {clause(' / '.join(lines))}" if lines else ""


def whose(scope: str) -> str:
    return "its" if scope == Scope.OWN else "the node's global"


def theirs(scope: str) -> str:
    """For a customer: scripts of the node are the hosting staff's."""
    return "its" if scope == Scope.OWN else "the hosting staff's"


RECOVERED = {
    "back": "what it had begun was undone",
    "left": "what it had done before stays as it is",
    "unbegun": "nothing of it had begun",
    "stuck": "not all that it had begun could be undone",
    "forward": "the operation was completed all the same",
}
FORMATS: dict[str, Callable[[Any], str]] = {
    "ended": ended,
    "script": script,
    "size": size,
    "clause": clause,
    "clauses": clauses,
    "few": few,
    "said": said,
    "lived": lived,
    "console": console,
    "capital": lambda text: capitalized(f"{text}"),
    "lower": lambda text: f"{text}".lower(),
    "list": lambda texts: ", ".join(f"{text}" for text in texts),
    "Whose": lambda scope: capitalized(whose(scope)),
    "Theirs": lambda scope: capitalized(theirs(scope)),
    "recovered": lambda way: RECOVERED[way],
}


class Words(Formatter):
    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(f"{key}", UNKNOWN)

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None or value == UNKNOWN:
            return UNKNOWN
        if format_spec in FORMATS:
            return FORMATS[format_spec](value)
        return f"{value:{format_spec}}"


WORDS = Words()
