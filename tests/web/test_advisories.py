"""The page of a node says which known faults its runc has, to staff."""

import pytest
from django.test import Client

from containers.models import Node

pytestmark = pytest.mark.django_db
OPEN = "CVE-2026-41579: a link in the place of /dev led runc out of the container."


def test_the_page_of_a_node_names_them(alpha: Node, as_alice: Client) -> None:
    page = as_alice.get("/nodes/alpha/").content.decode()
    assert "Known faults" not in page
    Node.objects.update(facts={"advisories": [OPEN]})
    page = as_alice.get("/nodes/alpha/").content.decode()
    assert page.count(OPEN) == 1
    assert "Known faults of this runc" in page
