"""Questions to the node, answered by looking; nothing is changed and no lock is taken."""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.utils.timezone import now

from containers import doorbell
from containers.models import Container, Inquiry, InquiryKind, Node
from containers.node import actions, figures, observed, preflight, runtimes
from containers.node.actions import Scope
from containers.node.checkpoint import saved
from containers.node.conf import NodeConf
from containers.node.ct import Ct, Spec
from containers.node.errors import BadValue, BadValues, OperationError, Problem
from containers.node.layout import Layout
from containers.node.processes.executor import Executor
from containers.node.runner import script_of
from containers.node.script_files import hash_of
from containers.node.storage import load as load_storage
from containers.node.templates import remains
from containers.node.trees.area import tree_of
from containers.worker.request import facts_of, scripts_for
from containers.worker.verdicts import Verdicts

LARGEST = 16 * 1024 * 1024  # bytes of a script that is handed over


def answer(conf: NodeConf, node: Node, verdicts: Verdicts) -> None:
    """Answer what was asked of this node. Raises DatabaseError."""
    for inquiry in Inquiry.objects.filter(node=node, answered=None).order_by("pk"):
        try:
            if inquiry.kind == InquiryKind.VERDICT:
                inquiry.answer = verdicts.of(inquiry)
                if inquiry.answer is None:
                    continue
            else:
                inquiry.answer = KINDS[inquiry.kind](Layout(conf, inquiry.ctid or 0), inquiry)
        except KeyError as error:
            inquiry.failed(OperationError(Problem.NO_ANSWER, word=error))
        except OperationError as error:
            inquiry.failed(error)
        except FileNotFoundError as error:  # it says where it looked
            inquiry.failed(BadValue(BadValues.NO_FILE, path=error.filename))
        except (OSError, Container.DoesNotExist) as error:
            inquiry.failed(OperationError(Problem.SYSTEM_ERROR, why=error))
        inquiry.answered = now()
        inquiry.save(update_fields=["answer", "error", "problem", "details", "answered"])
        doorbell.ring_pages(owner=inquiry.by_id, inquiry=inquiry.pk)


def state(paths: Layout, inquiry: Inquiry) -> dict[str, Any]:
    return {"state": observed.state_of(paths)}


def usage(paths: Layout, inquiry: Inquiry) -> dict[str, Any]:
    container = Container.objects.filter(ctid=inquiry.ctid or 0).first()
    limit = container.diskspace if container else None
    return figures.measure(paths, load_storage(inquiry.node.storage), limit)


def scripts(paths: Layout, inquiry: Inquiry) -> list[dict[str, Any]]:
    """The script files there are: the container's own, or without one the global ones."""
    scope = Scope.OWN if inquiry.ctid else Scope.GLOBAL
    found = []
    for action in actions.ALL:
        if scope in action.scopes:
            found += [
                {"action": action.name, "path": f"{path}", "sha256": sha256}
                for path in paths.script_places(scope, action)
                if (sha256 := hash_of(path))
            ]
    return found


def script(paths: Layout, inquiry: Inquiry) -> dict[str, Any]:
    """The text of one of them, else of OpenVZ's where it is not run from. args: action."""
    action = actions.BY_NAME[inquiry.args["action"]]
    scope = Scope.OWN if inquiry.ctid else Scope.GLOBAL
    own, *others = paths.script_places(scope, action)
    path = next((place for place in (own, *others) if place.is_file()), None)
    if path is None:
        raise OperationError(Problem.NO_SCRIPT_FILE, places=[own, *others])
    with path.open("rb") as file:
        body = file.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise OperationError(Problem.FILE_TOO_LARGE, path=path, most=LARGEST)
    return {"path": f"{path}", "own": path == own, "body": base64.b64encode(body).decode()}


def reinstall(paths: Layout, inquiry: Inquiry) -> dict[str, Any]:
    """What a reinstallation would find. args: template, as NAME@N."""
    node = inquiry.node
    container = Container.objects.get(ctid=inquiry.ctid or 0, node=node)
    scripts = map(script_of, scripts_for(node, container))
    ct = Ct(
        paths=paths,
        spec=Spec.of(facts_of(container)),
        runtime=runtimes.load(node.runtime),
        storage=load_storage(node.storage),
        executor=Executor(lambda data: None),
        say=lambda sentence: None,
        scripts={(script.scope, script.action): script for script in scripts},
    )
    return preflight.look(ct, inquiry.args["template"])


def what_stays(paths: Layout, inquiry: Inquiry) -> list[dict[str, Any]]:
    """What of people a template made of a snapshot would have in it. args: snapshot."""
    with tree_of(paths.node, saved.published(paths, inquiry.args["snapshot"]).fs) as tree:
        return [asdict(found) for found in remains.look(tree)]


KINDS: dict[str, Callable[[Layout, Inquiry], Any]] = {
    InquiryKind.STATE: state,
    InquiryKind.USAGE: usage,
    InquiryKind.SCRIPTS: scripts,
    InquiryKind.SCRIPT: script,
    InquiryKind.REINSTALL: reinstall,
    InquiryKind.REMAINS: what_stays,
}
