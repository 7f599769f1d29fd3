"""Pages change under those who read them: what they have focused, opened and scrolled to stays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from containers.models import Container, Inquiry, Node, Operation, Snapshot, Template
from containers.node.states import State
from tests.browser.conftest import Open

FOCUSED = "document.activeElement.matches(':focus') && document.activeElement.mine === 1"
UUID = "11111111-2222-3333-4444-55555555555%d"


@dataclass(frozen=True)
class Part:
    """A live part: a page, what is focused in it, what changes, and how that is seen."""

    path: str
    focused: str
    change: Callable[[], Any]
    seen: str


def run() -> None:
    Container.objects.update(state=State.RUNNING)


def snapshot(n: int) -> Snapshot:
    return Snapshot.objects.create(
        container=Container.objects.get(), uuid=UUID % n, name=f"number {n}", manifest="ab" * 32
    )


def restarted() -> None:
    Container.objects.get().request("restart", by=None)


PARTS = {
    "list": Part("/containers/", "#rows tr[id] a", run, "#rows .state-running"),
    "page": Part("/containers/101/", "#state summary", run, "#state .state-running"),
    "last operations": Part("/containers/101/", "#history td a", restarted, "td >> text=Restart"),
    "history": Part("/containers/101/operations/", "#rows td a", restarted, "td >> text=Restart"),
    "operations": Part("/operations/", "#rows td a", restarted, "td >> text=Restart"),
    "nodes": Part(
        "/nodes/",
        "#rows td a",
        lambda: Node.objects.create(name="aaron", runtime="dry-run", storage="directory"),
        "#node-aaron",
    ),
    "templates": Part(
        "/templates/",
        "#rows tbody button",
        lambda: Template.objects.create(
            node=Node.objects.get(), name="alpine", version=1, init="busybox", created=now()
        ),
        "#rows td:has-text('alpine')",
    ),
    "snapshots": Part(
        "/containers/101/snapshots/",
        "#line h3 a",
        lambda: snapshot(2),
        "#line h3:has-text('number 2')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_focus_survives_what_changes(
    name: str, page_of: Open, alice: User, ct101: Container, ring: Callable[..., None],
    debian: Template,
) -> None:  # fmt: skip
    snapshot(1)
    for _ in range(2):
        ct101.operations.create(node=ct101.node, kind="stop", state="succeeded", by=alice)
    part = PARTS[name]
    page = page_of(alice, part.path)
    focused = page.locator(part.focused).first
    focused.focus()
    page.evaluate("document.activeElement.mine = 1")
    part.change()
    ring(everybody=True, ctid=101)
    expect(page.locator(part.seen)).to_be_visible()
    assert page.evaluate(FOCUSED)


def test_opened_details_stay_open_and_closed_ones_closed(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/101/")
    page.locator("#state summary").click()
    expect(page.get_by_text("Stop: The container is not running.")).to_be_visible()
    failed = ct101.request("stop", by=bob)
    Operation.objects.filter(pk=failed.pk).update(state="failed", problem="cancelled-early")
    run()
    ring(owner=bob.pk, ctid=101)
    expect(page.locator("#state .notice-error")).to_be_visible()
    expect(page.get_by_text("Start: The container is already running")).to_be_visible()
    page.locator("#state summary").click()
    Container.objects.update(state=State.STOPPED)
    Operation.objects.filter(pk=failed.pk).update(state="succeeded")
    ring(owner=bob.pk, ctid=101)
    expect(page.locator("#state .notice-error")).to_have_count(0)
    expect(page.get_by_text("Stop: The container is not running.")).to_be_hidden()


def test_who_has_scrolled_stays_there(
    page_of: Open, alice: User, ct101: Container, ring: Callable[..., None]
) -> None:
    for ctid in range(102, 124):
        Container.objects.create(
            ctid=ctid, node=ct101.node, hostname=f"web{ctid}", state=State.STOPPED
        )
    page = page_of(alice, "/containers/", viewport={"width": 1360, "height": 400})
    page.get_by_role("link", name="web120").scroll_into_view_if_needed()
    before = where(page, "web120")
    assert page.evaluate("scrollY") > 0
    run()
    ring(everybody=True)
    expect(page.locator("#ct-120 .state-running")).to_be_visible()
    assert where(page, "web120") == before


def where(page: Page, name: str) -> float:
    return float(page.get_by_role("link", name=name).evaluate("e => e.getBoundingClientRect().top"))


def test_a_button_that_can_no_longer_be_pressed_keeps_the_focus(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/101/")
    page.locator("#do-start").focus()
    run()
    ring(owner=bob.pk, ctid=101)
    expect(page.locator("#do-start")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#do-start")).to_be_focused()


def test_when_what_was_focused_goes_the_keyboard_goes_on_beside_it(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/")
    page.get_by_role("button", name="Start CT 101").focus()
    run()
    ring(owner=bob.pk, ctid=101)
    expect(page.locator("#rows .state-running")).to_be_visible()
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.closest('tr').id") == "ct-101"
    assert not page.evaluate(f"{focused}.matches('a, button')")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="web1")).to_be_focused()
    assert not Operation.objects.exists()


def test_half_a_click_is_still_a_click(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., None]
) -> None:
    page = page_of(bob, "/containers/")
    page.get_by_role("link", name="web1").hover()
    page.mouse.down()
    run()
    ring(owner=bob.pk, ctid=101)
    expect(page.locator("#rows .state-running")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_role("heading", name="web1")).to_be_visible()


def test_choices_survive_the_answer_that_comes_for_them(
    page_of: Open, alice: User, ct101: Container, ring: Callable[..., None]
) -> None:
    Node.objects.update(heartbeat=now())
    one = snapshot(1)
    page = page_of(alice, f"/containers/101/snapshots/{one.uuid}/template/")
    choices = page.locator("#groups input[type=checkbox]")
    before = choices.first.is_checked()
    choices.first.click()
    expect(page.locator("#groups")).to_contain_text("the node is looking")
    Inquiry.objects.update(answer=[], answered=now())
    ring(everybody=True)
    expect(page.locator("#groups")).to_contain_text("nothing found")
    assert choices.first.is_checked() != before
    expect(choices.first).to_be_focused()
