"""pctl node start: starts the containers that are to start with this node."""

from containers import doorbell
from containers.commands.audit import noted
from containers.commands.batch import Batch
from containers.commands.database import need_root
from containers.commands.output import Output
from containers.commands.places import this_node
from containers.grammar import Given
from containers.models import Busy, Container, Node, Operation
from containers.node.errors import Code
from containers.node.states import State
from containers.worker.periodic import AT_ONCE
from containers.worker.startup import to_start


def start(given: Given, output: Output) -> int:
    """0 when all of them run; 7 when one of them does not start."""
    need_root("the containers of this node")
    node = this_node()
    noted(f"start node {node}")
    if "no_wait" in given:
        node.note(onboot=to_start(node))
        doorbell.ring_node(node.name)
        output.say(f"The worker of node {node} starts its containers.")
        return Code.OK
    operations = one_after_another(node, output)
    for ctid in left_alone(node):
        output.say(f"CT {ctid} was running before; it is not started: --onboot is no.")
    failed = [each for each in operations if not each.succeeded]
    code = Code.ENV_CREATE if failed else Code.OK
    said = [{"ctid": o.ctid, "kind": o.kind, "state": o.state, "why": o.why} for o in operations]
    output.show({"code": code, "containers": said}, [])
    if not operations:
        output.say("There is no container to start.")
    return code


def one_after_another(node: Node, output: Output) -> list[Operation]:
    """As at boot: a few at the same time."""
    left = to_start(node)
    begun: list[Operation] = []
    told: set[int] = set()
    with Batch(node) as batch:
        while left or len(told) < len(begun):
            while left and len(batch.unfinished) < AT_ONCE:
                if operation := request(node, left.pop(0)):
                    batch.add(operation)
                    begun.append(operation)
            batch.wait()
            for operation in begun:
                operation.refresh_from_db()
                if operation.done and operation.pk not in told:
                    told.add(operation.pk)
                    output.complain(sentence(operation))
    return begun


def request(node: Node, ctid: int) -> Operation | None:
    """None: it runs, or somebody else is at it."""
    container = node.containers.exclude(state=State.RUNNING).filter(ctid=ctid).first()
    try:
        return container.start_after_boot() if container else None
    except Busy:
        return None


def sentence(operation: Operation) -> str:
    if operation.succeeded:
        word = "goes on" if operation.kind == "resume" else "is started"
        return f"CT {operation.ctid} {word}."
    return f"CT {operation.ctid} does not run. {operation.why}".strip()


def left_alone(node: Node) -> list[int]:
    """Who was stopped with the node and does not start with it."""
    stopped: list[Container] = []
    for container in node.containers.filter(state=State.STOPPED, onboot=False).order_by("ctid"):
        last = container.operations.filter(exclusive=True).order_by("-pk").first()
        if last and last.via == "shutdown":
            stopped.append(container)
    return [container.ctid for container in stopped]
