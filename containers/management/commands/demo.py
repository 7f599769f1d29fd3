"""People, containers and scripts to look at, on a panel that has none yet."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from containers.models import Container, Node, ScriptTarget, Template, publication
from containers.node import actions
from containers.node.actions import THE_SIX, Action, Scope
from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem

SAMPLES = Path(actions.__file__).parent / "samples"
REASON = "a sample"
EVERYWHERE = """#!/bin/sh
# vps.{action}: runs on the node, for every container, {when}.
# Environment: VEID, VE_CONFFILE. If it fails, {refusal}.
echo "CT $VEID: {when}"
"""


class Command(BaseCommand):
    help = "Create sample users and containers on a panel that has none yet."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if why := unwanted(settings.NODE):
            self.stdout.write(f"No demo: {why}.")
            return
        passwords = {name: secrets.token_urlsafe(9) for name in ("admin", "customer")}
        try:
            with transaction.atomic():
                furnish(Node.objects.get(name=settings.NODE.name), passwords)
        except OperationError as error:
            self.stdout.write(f"No demo: {error}")
            return
        self.stdout.write("Containers 101 and 102 will be created when the node runs.")
        self.stdout.write("Sign in as one of these users. The passwords are shown only now:")
        for name, password in passwords.items():
            self.stdout.write(f"    {name:<10}{password}")


def unwanted(conf: NodeConf) -> str:
    """Why there shall be no demo; empty when there may be one."""
    if User.objects.exists() or Container.objects.exists():
        return "there are users or containers already"
    if any((conf.vz / "private").glob("*")) or any(conf.scripts.glob("*.conf")):
        return f"there are containers below {conf.vz} or {conf.etc} that the panel did not make"
    if not Template.objects.filter(node__name=conf.name, removed=False).exists():
        return "there is no template"
    return ""


def furnish(node: Node, passwords: dict[str, str]) -> None:
    admin = User.objects.create_superuser("admin", password=passwords["admin"])
    customer = User.objects.create_user("customer", password=passwords["customer"])
    template = Template.newest(node, "busybox")
    if template is None:
        raise OperationError(Problem.NO_TEMPLATE, template="busybox")
    for ctid, owner, onboot in ((101, customer, True), (102, None, False)):
        Container.make(
            ctid,
            node=node,
            template=template,
            by=admin,
            reason=REASON,
            hostname=f"demo{ctid}.example",
            description="A sample to try things on",
            ram=256,
            pids=256,
            diskspace=1024,
            onboot=onboot,
        )
        Container.objects.filter(ctid=ctid).update(owner=owner)
    own = Container.objects.get(ctid=101)
    for scope, action in THE_SIX:
        script = ScriptTarget.running_for(own, scope, action).made()
        script.write(sample(scope, action), by=admin, reason=REASON)
    publication.publish(node, by=admin)


def sample(scope: Scope, action: Action) -> bytes:
    if scope is Scope.OWN:
        return (SAMPLES / action.name).read_bytes()
    return EVERYWHERE.format(action=action, when=action.when, refusal=action.refusal).encode()
