"""Which containers of a node reach one another, as their owners and the node's setting have it."""

import pytest
from django.contrib.auth.models import User

from containers.models import Container, Node, Template
from containers.worker.reach import groups, owners_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def neighbours(ct101: Container, alpha: Node, busybox: Template, bob: User, carol: User) -> None:
    """101 and 104 are bob's, 102 is carol's, 103 and 105 are nobody's."""
    owners = {102: carol, 103: None, 104: bob, 105: None}
    Container.objects.bulk_create(
        Container(ctid=ctid, node=alpha, template=busybox, owner=owner, hostname=f"h{ctid}")
        for ctid, owner in owners.items()
    )


def test_those_of_one_owner_do_unless_the_node_says_otherwise(
    neighbours: None, alpha: Node
) -> None:
    assert set(groups(alpha, owners_on(alpha)) or ()) == {(101, 104), (103, 105)}


def test_a_change_of_the_owner_changes_that(neighbours: None, alpha: Node, carol: User) -> None:
    Container.objects.get(ctid=104).decide(owner=carol)
    assert set(groups(alpha, owners_on(alpha)) or ()) == {(102, 104), (103, 105)}


def test_none_and_all_are_settings_of_the_node(neighbours: None, alpha: Node) -> None:
    Node.objects.update(reach="none")
    assert groups(alpha, owners_on(alpha)) == ()
    Node.objects.update(reach="all")
    assert groups(alpha, owners_on(alpha)) is None
