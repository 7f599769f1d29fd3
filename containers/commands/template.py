"""Templates on the command line."""

from pathlib import Path
from typing import Any

from containers.commands.follow import follow
from containers.commands.output import Output, table
from containers.commands.places import this_node
from containers.grammar import Given
from containers.models import Operation, Template, Via
from containers.node.errors import BadValue, BadValues, Code
from containers.node.operations.build_template import RECIPES
from containers.node.templates import catalogue, remains


def list_(given: Given, output: Output) -> int:
    found = Template.objects.filter(removed=False).select_related("node")
    output.show(
        [
            {
                "template": f"{each}",
                "name": each.name,
                "version": each.version,
                "node": f"{each.node}",
                "init": each.init,
                "distribution": each.distribution,
                "size": each.size,
                "created": each.created,
                "offered": each.offered,
            }
            for each in found
        ],
        table(
            ("TEMPLATE", "NODE", "INIT", "MIB", "DISTRIBUTION"),
            [(each, each.node, each.init, each.size >> 20, each.distribution) for each in found],
        ),
    )
    return Code.OK


def build(given: Given, output: Output) -> int:
    name = catalogue.check(given.operands["NAME"])
    if name not in RECIPES:
        raise BadValue(BadValues.NO_RECIPE, name=name, known=[*RECIPES])
    return request("build_template", given, output)


def import_(given: Given, output: Output) -> int:
    path = Path(given.operands["FILE"]).absolute()
    if path.is_dir():
        raise BadValue(BadValues.FILE_ODD, path=path)
    if not path.is_file():
        raise BadValue(BadValues.NO_FILE, path=path)
    clean = given.get("clean", remains.DEFAULT)
    return request("import_template", given, output, path=f"{path}", clean=clean)


def request(kind: str, given: Given, output: Output, **params: Any) -> int:
    name = catalogue.check(given.operands["NAME"])
    params, node = {"name": name, **params}, this_node()
    return follow(
        lambda: Operation.request_on(node, kind, f"template {name}", via=Via.PCTL, params=params),
        output,
    )
