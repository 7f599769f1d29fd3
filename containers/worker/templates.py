"""The rows of a node's templates, made from what lies on its disk."""

from containers.models import Node, Template
from containers.node.conf import NodeConf
from containers.node.templates import catalogue


def sync(conf: NodeConf, node: Node) -> None:
    there = []
    for found in catalogue.listed(conf):
        facts = {
            "init": found.facts.init,
            "distribution": found.facts.distribution,
            "size": found.facts.size,
            "created": found.facts.created,
            "removed": False,
        }
        # What was published or imported may hold somebody's files: staff offer it, or not.
        own = {"offered": bool(found.facts.recipe)}
        row, _ = Template.objects.update_or_create(
            node=node,
            name=found.name,
            version=found.version,
            defaults=facts,
            create_defaults=facts | own,
        )
        there.append(row.pk)
    Template.objects.filter(node=node).exclude(pk__in=there).update(removed=True)
