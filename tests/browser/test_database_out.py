"""A database that can't be used, as somebody in front of a browser sees it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.contrib.auth.models import User
from django.db import connection
from playwright.sync_api import expect

from containers.models import Container, Operation
from tests.browser.conftest import Open
from tests.browser.server import Panel

LOCKED = "The panel's database is locked by another program."


@contextmanager
def locked() -> Iterator[None]:
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_form_is_kept_and_can_be_sent_again(page_of: Open, alice: User, ct101: Container) -> None:
    page = page_of(alice, "/containers/101/settings/")
    page.get_by_label("Description").fill("kept <by> the page")
    with locked():
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_role("heading")).to_have_text(LOCKED)
        expect(page.get_by_label("description")).to_have_value("kept <by> the page")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Change settings of web1")
    assert Operation.objects.get().params["settings"] == {"description": "kept <by> the page"}


def test_a_page_comes_back_by_itself(
    page_of: Open, panel: Panel, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/")
    database = panel.state / "web" / "panel.sqlite3"
    there = database.readlink()
    database.unlink()
    database.symlink_to("/nowhere/panel.sqlite3")
    try:
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("The panel's database can't be reached.")
        assert page.request.get("/health").json()["reason"] == "away"
    finally:
        database.unlink()
        database.symlink_to(there)
    expect(page.get_by_role("heading", level=1)).to_have_text("web1")
