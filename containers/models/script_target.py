"""Whose script is meant, and for which action: a container's own, or a node's global one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from django.db import transaction
from django.utils.timezone import now

from containers.models import approval
from containers.models.approval import Waiting
from containers.models.audit import Actor, AuditEvent
from containers.models.container import Container
from containers.models.node import Node
from containers.models.operation import Operation
from containers.models.script import Script, ScriptVersion
from containers.node import actions
from containers.node.actions import Action, Scope, Where
from containers.node.errors import Problem
from containers.node.scripts import HOST_ENV

NONE = "0"  # the edition of a script that nobody has written


@dataclass(frozen=True)
class ScriptTarget:
    """A script that can be there, whether or not anybody has written it yet."""

    owner: Container | Node
    action: Action

    @classmethod
    def all_of(cls, owner: Container | Node) -> list[ScriptTarget]:
        """Every script that a container or a node can have, in the documentation's order."""
        scope = Scope.OWN if isinstance(owner, Container) else Scope.GLOBAL
        return [cls(owner, action) for action in actions.ALL if scope in action.scopes]

    @classmethod
    def named(cls, owner: Container | Node, name: str) -> ScriptTarget | None:
        return next((each for each in cls.all_of(owner) if each.action.name == name), None)

    @classmethod
    def running_for(cls, container: Container, scope: Scope, action: Action) -> ScriptTarget:
        """The one that runs for this container: its own, or its node's."""
        return cls(container if scope is Scope.OWN else container.node, action)

    @property
    def container(self) -> Container | None:
        return self.owner if isinstance(self.owner, Container) else None

    @property
    def node(self) -> Node:
        return self.owner.node if isinstance(self.owner, Container) else self.owner

    @property
    def ctid(self) -> int | None:
        return self.container.ctid if self.container else None

    @property
    def scope(self) -> Scope:
        return Scope.OWN if self.container else Scope.GLOBAL

    def __str__(self) -> str:
        what = f"{self.action} {self.action.noun}"
        return f"{what} of {self.container}" if self.container else f"global {what} on {self.node}"

    @property
    def short(self) -> str:
        """As it is called where it is clear which container and node are meant."""
        return f"{'its' if self.container else 'the global'} {self.action} {self.action.noun}"

    @property
    def script(self) -> Script | None:
        return self.owner.scripts.filter(name=self.action.name).first()

    @property
    def current(self) -> ScriptVersion | None:
        script = self.script
        return script.current if script else None

    @property
    def waits(self) -> Waiting | None:
        """For root's approval on its node, as that said it last."""
        return approval.find(self.node, self.ctid, self.action)

    def made(self) -> Script:
        """The row, made if there is none."""
        return self.owner.scripts.get_or_create(name=self.action.name)[0]

    @property
    def edition(self) -> str:
        """How it stands, for whoever is going to write over that."""
        script = self.script
        return script.edition if script else NONE

    def write(
        self,
        body: bytes,
        *,
        reason: str = "",
        verb: str = "save",
        over: str | None = None,
        **actor: Unpack[Actor],
    ) -> ScriptVersion:
        """Keep a version, and a line about it in the audit log.

        verb: of that line, which goes on with the script and the version's number.
        over: the edition that it was written over; raises Overtaken when that is another by now.
        """
        with transaction.atomic():
            version = self.made().write(body, by=actor["by"], reason=reason, over=over)
            AuditEvent.record(
                f"{verb} the {self}: version {version.number}",
                ctid=self.ctid,
                sha256=version.sha256,
                reason=version.reason,
                **actor,
            )
            if verb == "import":
                self.answer_refusals()
        return version

    def answer_refusals(self) -> None:
        """The file that lay in its place is no stranger any more."""
        place = "container" if self.container else "node"
        Operation.objects.filter(
            problem=Problem.FOREIGN_FILE,
            details__scope=self.scope,
            details__action=self.action.name,
            answered=None,
            **{place: self.owner},
        ).update(answered=now())

    def restore(
        self, old: ScriptVersion, *, over: str | None = None, **actor: Unpack[Actor]
    ) -> ScriptVersion:
        """Save an old text again: what lay between stays in the history. over: as for write."""
        reason = f"restores version {old.number}"
        return self.write(bytes(old.body), reason=reason, verb="restore", over=over, **actor)

    def disable(self, **actor: Unpack[Actor]) -> bool:
        """Take it off the node at the next operation; returns whether there was one."""
        script = self.script
        if script:
            with transaction.atomic():
                script.disable()
                AuditEvent.record(f"disable the {self}", ctid=self.ctid, **actor)
        return bool(script)

    @property
    def audience(self) -> int:
        """How many containers it runs for."""
        return 1 if self.container else self.node.containers.count()

    @property
    def precedence(self) -> str:
        """Of a hook only one runs."""
        if not self.action.hook:
            return ""
        if self.container:
            return "This hook runs instead of the node's global one"
        return "It runs for every container that has no such hook itself"

    @property
    def environment(self) -> dict[str, str]:
        """What the script finds in its environment, and nothing else."""
        found = {**HOST_ENV, "VEID": f"{self.ctid or 'the CT ID'}"}
        if self.action.where is Where.NODE:
            found["VE_CONFFILE"] = "the container's configuration file"
        return found
