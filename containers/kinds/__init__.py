"""What a container can undergo, as the panel offers it: one module a kind, holding its KIND.

To add an operation, add a plan in containers/node/operations and a module of the same name here.
"""

from importlib import import_module
from pkgutil import iter_modules

from containers.kind import KINDS


def load() -> None:
    """Make every kind of this package known."""
    for module in iter_modules(__path__):
        KINDS[module.name] = import_module(f"{__name__}.{module.name}").KIND


load()
