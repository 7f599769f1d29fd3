"""Snapshots in a real browser: one is verified and restored, without a page being reloaded."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import expect

from containers.models import Container, Inquiry, Operation, Snapshot
from containers.models.judged import TrialRestore
from containers.node.checkpoint.reason import Reason
from containers.node.errors import Doubts
from containers.node.states import Progress, State
from tests.browser.server import DESKTOP, PHONE

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def snapshot(ct101: Container) -> Snapshot:
    Container.objects.update(state=State.RUNNING)
    made = Snapshot.objects.create(
        container=ct101, uuid=UUID, name="before the update", manifest="ab" * 32,
        with_processes=True, size=45_000_000,
    )  # fmt: skip
    Container.objects.update(here=made)
    return made


def test_a_verdict_comes_to_the_page_that_asked_for_it(
    snapshot: Snapshot, bob: User, page_of: Callable[..., Any], ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/101/snapshots/")
    expect(page.get_by_text("You are here")).to_be_visible()
    expect(page.get_by_text("not verified yet")).to_be_visible()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("being verified")).to_be_visible()
    inquiry = Inquiry.objects.get()
    snapshot.judge("broken", [Reason.doubt(Doubts.FILES_CHANGED, names=["img/pages-1.img"])])
    inquiry.answered, inquiry.answer = snapshot.verified, {"verdict": "broken"}
    inquiry.save()
    ring(owner=bob.pk, inquiry=inquiry.pk)
    expect(page.get_by_text("Some of its files are not as they were written.")).to_be_visible()


def test_a_trial_restore_is_watched_and_its_verdict_comes_to_the_line(
    snapshot: Snapshot, bob: User, page_of: Callable[..., Any], ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/101/snapshots/")
    page.get_by_role("button", name="Trial restore").click()
    page.wait_for_url("**/operations/*/")
    expect(page.get_by_role("heading", name="Trial restore")).to_be_visible()
    operation = Operation.objects.get()
    assert (operation.kind, operation.by) == ("trial_restore", bob)
    page.go_back()
    operation.end(Progress.SUCCEEDED, code=0)
    snapshot.was_tried(TrialRestore(now(), operation.pk, processes=5))
    ring(owner=bob.pk, ctid=101)
    expect(page.get_by_text("All 5 processes came back in a test copy.")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_restore_says_what_is_lost_and_then_shows_the_operation(
    snapshot: Snapshot, bob: User, page_of: Callable[..., Any], viewport: dict[str, int]
) -> None:
    page = page_of(bob, "/containers/101/snapshots/", viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Restore …").click()
    expect(page.get_by_text("every file written since")).to_be_visible()
    expect(page.get_by_label("Keep its present state as a safety snapshot")).to_be_checked()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.get_by_label("but close open connections").check()
    page.get_by_role("button", name="Restore CT 101").click()
    page.wait_for_url("**/operations/*/")
    operation = Operation.objects.get()
    assert operation.kind == "restore"
    assert operation.params["tcp_close"]
    assert operation.params["safety"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_settings_that_were_changed_since_are_a_choice_before_a_restore(
    snapshot: Snapshot, alice: User, page_of: Callable[..., Any], viewport: dict[str, int]
) -> None:
    """F10; and U15: what came when can be told by its second."""
    Snapshot.objects.update(facts={"settings": {"ram": 512}, "template": "debian-11@1"})
    Container.objects.update(ram=256)
    page = page_of(alice, "/containers/101/snapshots/", viewport=viewport)
    expect(page.locator("time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.get_by_role("link", name="Restore …").click()
    expect(page.locator("#changes")).to_contain_text("Memory: 512 MiB then, 256 MiB now")
    expect(page.locator("#changes")).to_contain_text("comes back with the disk")
    expect(page.get_by_label("Keep those of today")).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Take those of then").check()
    page.get_by_role("button", name="Restore CT 101").click()
    page.wait_for_url("**/operations/*/")
    assert Operation.objects.get().params["take"] == {"ram": 512}


def test_a_name_that_is_taken_is_told_where_it_was_typed(
    snapshot: Snapshot, bob: User, page_of: Callable[..., Any]
) -> None:
    """U15."""
    page = page_of(bob, "/containers/101/snapshots/")
    page.get_by_label("Name").fill("before the update")
    page.get_by_role("button", name="Take a snapshot").click()
    expect(page.get_by_text("Another snapshot of CT 101 is called")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("before the update")
