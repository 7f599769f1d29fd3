"""Asking a node what a reinstallation would find, and its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils.timezone import now

from containers.models import Container, Inquiry, InquiryKind, Template

FRESH = timedelta(minutes=2)  # as long as an answer is taken for true


def ask(container: Container, user: User, template: Template) -> int:
    """The number of the inquiry."""
    args = {"template": f"{template}"}
    return Inquiry.ask(
        container.node, InquiryKind.REINSTALL, ctid=container.ctid, by=user, **args
    ).pk


def asked(number: int | None, container: Container, user: User) -> Inquiry | None:
    mine = Inquiry.objects.filter(by=user, ctid=container.ctid, kind=InquiryKind.REINSTALL)
    return mine.filter(pk=number or 0).first()


def stale(number: int | None, container: Container, user: User, template: Template) -> bool:
    """Whether it was asked too long ago, or of another system."""
    inquiry = asked(number, container, user)
    if inquiry is None or inquiry.args.get("template") != f"{template}":
        return True
    return now() - inquiry.asked > FRESH


def answered(
    number: int | None, container: Container, user: User
) -> tuple[dict[str, Any] | None, bool]:
    """The answer, None for none, and whether one is to be waited for."""
    inquiry = asked(number, container, user)
    if inquiry is None:
        return None, False
    return inquiry.answer, inquiry.awaited and not container.node.away
