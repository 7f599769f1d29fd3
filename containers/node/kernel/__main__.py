"""python3 -m containers.node.kernel [--plan | --remove]: see, raise or put back its limits."""

import argparse
import sys

from containers.node.conf import load
from containers.node.kernel.prepare import plan, prepare, remove


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python3 -m containers.node.kernel")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would change, change nothing")
    what.add_argument("--remove", action="store_true", help="put the former values back")
    options = parser.parse_args(arguments)
    do = plan if options.plan else remove if options.remove else prepare
    for sentence in do(load()):
        print(sentence)


if __name__ == "__main__":
    main(sys.argv[1:])
