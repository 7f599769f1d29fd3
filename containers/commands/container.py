"""What pctl does to a container: each a request, and then followed to its end."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from containers.commands import audit, ctid
from containers.commands.follow import follow
from containers.commands.output import Output
from containers.commands.places import this_node
from containers.grammar import Given
from containers.kind import KINDS
from containers.models import Container, Node, Operation, Template, Via
from containers.models.remark import remarks
from containers.node import veconf
from containers.node.errors import BadValue, BadValues, Code, OperationError, Problem
from containers.node.operations.build_template import RECIPES
from containers.node.setting import Type
from containers.node.settings import TABLE, defaults, named

ACCESS = ("userpasswd", "sshkeys")
NOBODY = ("none", "")


def create(given: Given, output: Output) -> int:
    node = this_node()
    node.facts["defaults"] = defaults(veconf.read(settings.NODE.vz_conf), node.facts)
    number = ctid.new(given.operands["CTID"])
    template = template_of(node, given.get("ostemplate"))
    shall = columns(given)
    return follow(
        lambda: remarked(
            Container.make(
                number,
                node=node,
                template=template,
                addresses=given.get("ipadd"),
                via=Via.PCTL,
                params=given.pick(*ACCESS),
                **shall,
            ),
            output,
        ),
        output,
    )


def remarked(operation: Operation, output: Output) -> Operation:
    """Say what is unusual about what it brings its container."""
    for said in remarks(operation):
        output.complain(f"Warning: {said}")
    return operation


def template_of(node: Node, name: str | None) -> Template:
    name = name or veconf.read(settings.NODE.vz_conf).get("DEF_OSTEMPLATE")
    if not name:
        raise OperationError(Problem.NO_TEMPLATE_GIVEN)
    found = Template.newest(node, name)
    if found is None:
        ways = f"pctl template build {name}" if name in RECIPES else "pctl template import"
        raise OperationError(Problem.NO_TEMPLATE_YET, template=name, ways=ways)
    return found


def change(given: Given, output: Output) -> int:
    """Nothing is to do without a setting, address, password or key; and nothing on the node for
    what the panel alone need know.
    """
    container = ctid.find(given.operands["CTID"])
    shall = columns(given)
    if not shall and not given.pick("ipadd", "ipdel", *ACCESS):
        output.say("Nothing to change.")
        output.show({"ctid": container.ctid, "state": "unchanged", "code": 0}, [])
        return Code.OK
    if all(named(name).at_once for name in shall) and not given.pick("ipadd", "ipdel", *ACCESS):
        container.decide(**shall)
        audit.noted(f"change {container}: {', '.join(shall)}", ctid=container.ctid)
        output.say(f"{KINDS['set'].label} of {container}: done.")
        output.show({"ctid": container.ctid, "state": "succeeded", "code": 0}, [])
        return Code.OK
    named_too = [name for name in ACCESS if name in given]
    if decided := [*(name for name in shall if named(name).at_once), *named_too]:
        audit.noted(f"change {container}: {', '.join(decided)}", ctid=container.ctid)
    return follow(
        lambda: remarked(
            container.change(
                add=given.get("ipadd", ()),
                drop=given.get("ipdel", ()),
                via=Via.PCTL,
                params=given.pick(*ACCESS),
                **shall,
            ),
            output,
        ),
        output,
    )


def columns(given: Given) -> dict[str, Any]:
    """The settings that were given, those that are addresses apart."""
    found = given.pick(*(setting.name for setting in TABLE if setting.in_row))
    people = [s.name for s in TABLE if s.type is Type.PERSON and s.name in found]
    return {**found, **{name: owner(found[name]) for name in people}}


def owner(name: str) -> User | None:
    if name in NOBODY:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise BadValue(BadValues.NO_USER, name=name)
    return user


def act(given: Given, output: Output) -> int:
    """Ask for the operation that the command is for, with what was given of its params."""
    kind = KINDS[given.command.kind]
    container = ctid.find(given.operands["CTID"])
    asked = (param.name for param in kind.params if param.option and param.kept)
    reason, params = given.get("reason", ""), given.pick(*asked)
    return follow(
        lambda: container.request(kind.name, via=Via.PCTL, reason=reason, params=params), output
    )
