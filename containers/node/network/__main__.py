"""python3 -m containers.node.network [--plan | --remove]: see, make or take away the network."""

import argparse
import sys

from containers.node.conf import load
from containers.node.errors import OperationError
from containers.node.network.prepare import plan, prepare, warnings
from containers.node.network.remove import remove


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m containers.node.network")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would change, change nothing")
    what.add_argument("--remove", action="store_true", help="take links, rules and routes away")
    options = parser.parse_args(arguments)
    conf = load()
    try:
        if options.plan:
            said = plan(conf)
        elif options.remove:
            said = remove(conf)
        else:
            said = prepare(conf) + warnings(conf)
    except OperationError as e:
        print(f"network: {e}", file=sys.stderr)
        return e.code
    for sentence in said:
        print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
