"""Containers in lists, on their pages, and in forms."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from containers.models import Container, Operation, Template, Via
from containers.node.death import Death
from containers.node.states import Omission, Progress, State
from tests.browser.conftest import Open
from tests.browser.server import PHONE


def test_a_state_changes_in_the_list_and_on_the_page_without_a_reload(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., Any]
) -> None:
    listed, shown = page_of(bob, "/containers/"), page_of(bob, "/containers/101/")
    for page in (listed, shown):
        expect(page.locator(".state-stopped").first).to_be_visible()
    Container.objects.update(state=State.RUNNING)
    ring(ctid=101, owner=bob.pk)
    for page in (listed, shown):
        expect(page.locator(".state-running").first).to_be_visible()
    expect(shown.get_by_role("button", name="Start", exact=True)).to_have_attribute(
        "aria-disabled", "true"
    )


def test_a_suspended_container_that_was_left_mounted_shows_its_ways_out(
    page_of: Open, alice: User, bob: User, ct101: Container
) -> None:
    Container.objects.update(state=State.SUSPENDED, facts={"mounted": True})
    for user, said in ((alice, "an umount script failed"), (bob, "still in use on the server")):
        page = page_of(user, "/containers/101/")
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.get_by_role("button", name="Resume", exact=True)).to_be_enabled()
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_label("Delete its saved processes and start it afresh")).to_be_visible()
    expect(page.get_by_role("button", name="Resume it instead")).to_be_visible()


def test_starting_lands_on_the_operation(page_of: Open, bob: User, ct101: Container) -> None:
    page = page_of(bob, "/containers/")
    page.get_by_role("button", name="Start CT 101").click()
    expect(page.get_by_role("heading", name="Start web1")).to_be_visible()
    assert Operation.objects.get().by == bob


def test_without_javascript_a_container_is_found_and_started(
    page_of: Open, bob: User, ct101: Container
) -> None:
    page = page_of(bob, "/containers/", java_script_enabled=False)
    page.get_by_role("searchbox").fill("web1")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="web1").click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Start web1")).to_be_visible()


def test_a_second_operation_is_refused_naming_the_first(
    page_of: Open, bob: User, ct101: Container
) -> None:
    page = page_of(bob, "/containers/101/", java_script_enabled=False)  # it learns of nothing
    first = ct101.request("start", by=bob)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(f"operation {first.pk} (Start)")
    expect(page.get_by_role("link", name=f"Watch operation {first.pk} (Start)")).to_be_visible()


def test_an_end_that_nobody_asked_for_is_told_in_red_without_a_reload(
    page_of: Open, bob: User, ct101: Container, ring: Callable[..., Any]
) -> None:
    page = page_of(bob, "/containers/101/")
    operation = ct101.request("died", via=Via.CONTAINER)
    for number, (label, why) in enumerate(
        [("run its umount script", Omission.NO_SCRIPT), ("run its stop script", Omission.ASKED)]
    ):
        operation.steps.create(
            number=number, key=f"own-{number}", label=label, state="skipped", note=why
        )
    death = Death(exit=-9, lived=7500.0, out_of_memory=True, last=("Out of memory",))
    operation.end(Progress.FAILED, code=3, state=State.STOPPED, **death.error().record)
    ring(ctid=101, owner=bob.pk, operation=operation.pk)

    box = page.locator(".notice-error")
    expect(box).to_contain_text("It ended by itself: The container's memory does not suffice")
    expect(box).to_contain_text("ended 2 h 5 min after it was started")
    box.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Unexpected end of web1")).to_be_visible()
    plan = page.locator(".plan-step")
    expect(plan.nth(0)).to_contain_text("no such script")
    expect(plan.nth(1)).to_contain_text("left out, as asked")


def test_staff_creates_a_container_and_sees_its_password_once(
    page_of: Open, alice: User, bob: User, debian: Template
) -> None:
    page = page_of(alice, "/containers/new/")
    page.get_by_label("Host name").fill("shop")
    page.get_by_label("Owner").select_option(label="bob")
    expect(page.get_by_label("IP addresses")).to_be_hidden()
    page.get_by_role("button", name="Create container").click()
    secret = page.locator("#secret")
    expect(secret).to_be_visible()
    password = secret.inner_text()
    page.reload()
    expect(page.get_by_role("heading", name="Create shop")).to_be_visible()
    expect(secret).to_have_count(0)
    container = Container.objects.get()
    assert (container.ctid, container.owner, container.addresses) == (101, bob, ["10.99.0.101"])
    assert password not in f"{Operation.objects.get().params}"


def test_destroying_asks_for_the_name_and_can_be_left(
    page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/")
    page.get_by_role("link", name="Destroy").click()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    page.get_by_role("button", name="Destroy CT 101").click()
    page.get_by_label("Type its CT ID").fill("102")
    page.get_by_role("button", name="Destroy CT 101").click()
    expect(page.get_by_text("That doesn't match.")).to_be_visible()
    page.get_by_label("Type its CT ID").fill("web1")
    page.get_by_role("button", name="Destroy CT 101").click()
    expect(page.get_by_role("heading", name="Destroy web1")).to_be_visible()
    assert Operation.objects.get().kind == "destroy"


def test_the_lifecycle_shows_what_a_failing_start_script_undoes(
    page_of: Open, alice: User, ct101: Container
) -> None:
    ct101.scripts.create(name="start").write(b"#!/bin/sh\n", by=alice)
    page = page_of(alice, "/containers/101/")
    step = page.locator(".plan-step", has_text="Its start script")
    step.get_by_text("If it fails").click()
    expect(step).to_contain_text("dismount its file system")
    expect(step).to_contain_text("The container is then stopped.")


PAGES = ("/containers/", "/containers/101/", "/containers/101/settings/", "/containers/new/",
         "/containers/101/scripts/mount/", "/containers/101/operations/", "/operations/",
         "/operations/{pk}/", "/scripts/", "/nodes/alpha/", "/templates/", "/people/", "/audit/",
         "/account/", "/containers/101/operations/new/destroy/")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(
    path: str, page_of: Open, alice: User, ct101: Container
) -> None:
    Container.objects.filter(pk=ct101.pk).update(
        hostname="a-rather-long-name.of-a-container.example.com"
    )
    ct101.scripts.create(name="mount").write(b"#!/bin/sh\n" + b"echo " + b"x" * 300, by=alice)
    operation = ct101.request("start", by=alice)
    page = page_of(alice, path.format(pk=operation.pk), viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
