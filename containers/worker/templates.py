"""The rows of a node's templates, made from what lies on its disk."""

from containers.models import Node, Template
from containers.node.conf import NodeConf
from containers.node.templates import catalogue


def sync(conf: NodeConf, node: Node) -> None:
    there = []
    for found in catalogue.listed(conf):
        row, _ = Template.objects.update_or_create(
            node=node,
            name=found.name,
            version=found.version,
            defaults={
                "init": found.facts.init,
                "distribution": found.facts.distribution,
                "size": found.facts.size,
                "created": found.facts.created,
                "removed": False,
            },
        )
        there.append(row.pk)
    Template.objects.filter(node=node).exclude(pk__in=there).update(removed=True)
