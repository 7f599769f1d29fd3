"""`make bench`: what the panel costs, measured in one run. It exits 1 when a limit is broken.

python -m bench [NAME...]: only these measurements.
"""

import os
import sys
from importlib import import_module

from bench.row import Row, table
from tests.real.panel import Panel, whole_panel

MEASUREMENTS = ("start_stop", "live_output", "reinstall", "snapshots", "vzcptcheck")


def main(names: list[str]) -> int:
    if os.geteuid() != 0:
        print("make bench makes real containers: run it as root.", file=sys.stderr)
        return 2
    if unknown := set(names) - set(MEASUREMENTS):
        print(f"There is no {', '.join(unknown)}, only: {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    with whole_panel() as panel:
        sit_beside(panel)
        for name in names or MEASUREMENTS:
            rows += import_module(f"bench.{name}").measure(panel)
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


def sit_beside(panel: Panel) -> None:
    """Be a process of this panel, as its web process is, with its rows and its doorbell."""
    os.environ.update(panel.env)
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
