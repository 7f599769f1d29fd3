"""A container is set up afresh from a phone, by touch, over a bad line; and it's put back."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, ViewportSize, expect

from containers.models import Container, Inquiry, Node, Operation, ReplacedSystem
from containers.node.states import State
from tests.browser.conftest import Open
from tests.browser.line import Line
from tests.browser.server import PHONE, SHOWN_WITHIN
from tests.real.panel import Panel as WholePanel
from tests.real.panel import whole_panel
from tests.web.test_reinstallation import FOUND

URL = "/containers/101/reinstallation/"


class Touch(TypedDict):
    viewport: ViewportSize
    has_touch: bool
    is_mobile: bool


TOUCH: Touch = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
CUT = 20.0  # seconds without a connection
MIB = 1 << 20
GATED = """#!/bin/sh
wait_for() { while [ ! -e "$1" ]; do sleep 0.1; done; }
echo begun
wait_for /going-on
echo going on
wait_for /open
"""
Test = Callable[..., None]


def answer(ring: Any, **differently: Any) -> None:
    """What the node would say."""
    Inquiry.objects.filter(answered=None).update(answer={**FOUND, **differently}, answered=now())
    ring(everybody=True, inquiry=1)


@pytest.fixture
def ct101(ct101: Container) -> Container:
    Node.objects.update(heartbeat=now())
    Container.objects.update(state=State.RUNNING, hostname="Web1.example", diskspace=1024)
    ct101.refresh_from_db()
    return ct101


def through(page: Page, access: str = "", keep: str = "") -> None:
    """To the review."""
    page.get_by_role("button", name="Continue to access and data").tap()
    if access:
        page.get_by_label(access).tap()
    if keep:
        page.get_by_label(keep).tap()
    page.get_by_role("button", name="Continue to the review").tap()
    expect(page.get_by_role("heading", name="What happens to this container")).to_be_visible()


def test_by_touch_on_a_phone_with_every_step_reloaded(
    page_of: Open, bob: User, ct101: Container, ring: Any
) -> None:
    page = page_of(bob, "/containers/101/", **TOUCH)
    page.get_by_role("link", name="Reinstall").tap()
    expect(page.get_by_role("heading", name="New system")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Continue to access and data").tap()
    expect(page.get_by_text("Who can sign in afterwards")).to_be_visible()
    page.reload()
    page.get_by_label("Only root, with a generated password").tap()
    page.get_by_role("button", name="Continue to the review").tap()
    expect(page.get_by_text("Checking the container")).to_be_visible()
    page.reload()
    answer(ring)
    expect(page.get_by_text("fit in its")).to_be_visible()  # without another reload
    box = page.get_by_label("Type Web1.example to confirm")
    assert box.get_attribute("autocapitalize") == "none"
    box.fill("web1.EXAMPLE")
    page.get_by_role("button", name="Reinstall", exact=True).tap()
    expect(page.get_by_role("heading", name="Reinstall Web1.example")).to_be_visible()
    expect(page.locator("#secret")).to_be_visible()
    expect(page.get_by_text("You can close this page")).to_be_visible()
    assert Operation.objects.get().params["resetpwdb"] is True


@pytest.mark.parametrize("step", ["system", "access", "review"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_step_is_wider_than_a_phone(
    step: str, colours: str, page_of: Open, bob: User, ct101: Container, ring: Any
) -> None:
    Container.objects.update(hostname="a-rather-long-name.of-a-container.example.com")
    page = page_of(bob, URL, **TOUCH, color_scheme=colours)
    through(page)
    answer(ring, credentials="/etc/passwd is " + "x" * 90)
    expect(page.get_by_role("button", name="Let only root sign in")).to_be_visible()
    page.goto(f"{URL}?step={step}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_javascript_it_is_set_up_all_the_same(
    page_of: Open, bob: User, ct101: Container, ring: Any
) -> None:
    page = page_of(bob, URL, java_script_enabled=False, **TOUCH)
    through(page, access="Only root, with a generated password", keep="Erase them")
    answer(ring)
    page.get_by_role("link", name="Show the result").tap()
    page.get_by_label("Type Web1.example").fill("web1.example")
    page.get_by_role("button", name="Erase and reinstall").tap()
    expect(page.locator("#secret")).to_be_visible()
    assert Operation.objects.get().params["skipbackup"] is True


def test_old_files_that_do_not_fit_are_kept_aside_by_one_button(
    page_of: Open, bob: User, ct101: Container, ring: Any
) -> None:
    page = page_of(bob, URL, **TOUCH)
    through(page)
    answer(ring, old={"bytes": 2000 * MIB, "files": 9})
    expect(page.get_by_text("don't both fit")).to_be_visible()
    page.get_by_role("button", name="Keep the old files until").tap()
    expect(page.get_by_text("don't both fit")).to_have_count(0)
    page.get_by_label("Type Web1.example").fill("web1.example")
    page.get_by_role("button", name="Reinstall", exact=True).tap()
    expect(page.get_by_role("heading", name="Reinstall Web1.example")).to_be_visible()
    assert Operation.objects.get().params["skipbackup"] is True


def test_what_is_kept_is_put_back_after_a_question(
    page_of: Open, bob: User, ct101: Container
) -> None:
    ReplacedSystem.objects.create(container=ct101, number=4, since=now(), until=now(), size=5 * MIB)
    page = page_of(bob, "/containers/101/", **TOUCH)
    page.get_by_role("link", name="Put it back").tap()
    expect(page.get_by_text("The present system is kept until")).to_be_visible()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    page.get_by_role("button", name="Undo the reinstallation").tap()
    expect(page.get_by_role("heading", name="Undo the reinstallation")).to_be_visible()


# On a whole panel, with a real container


def on_a_whole_panel(test: Test) -> Test:
    """One for all of them."""
    for mark in (pytest.mark.real, pytest.mark.redis, pytest.mark.xdist_group("reinstallation")):
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def house() -> Iterator[WholePanel]:
    if os.geteuid() != 0:
        pytest.skip("a whole panel needs root")
    with whole_panel() as panel:
        panel.pctl("user", "create", "bob", "--password-stdin", stdin="bob's very own\n")
        panel.pctl(
            "create",
            101,
            "--ostemplate",
            "busybox",
            "--hostname",
            "web1.example",
            "--owner",
            "bob",
            "--diskspace",
            "1G",
            "--userpasswd",
            "root:sesame open",
        )
        panel.pctl("start", 101)
        yield panel


@pytest.fixture
def whole(house: WholePanel) -> WholePanel:
    """Running, and with no script that an earlier test has left."""
    for name in ("start", "stop"):
        house.save(101, name, "#!/bin/sh\n")
    if house.state(101) != State.RUNNING:
        house.pctl("start", 101)
    return house


@pytest.fixture
def line(whole: WholePanel) -> Iterator[Line]:
    line = Line(whole.port)
    yield line
    line.close()


@pytest.fixture
def phone(line: Line, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=line.url, **TOUCH)
    context.set_default_timeout(SHOWN_WITHIN * 1000)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill("bob's very own")
    page.get_by_role("button", name="Sign in", exact=True).tap()
    expect(page.get_by_role("heading", name="Containers")).to_be_visible()
    yield page
    context.close()


@on_a_whole_panel
@pytest.mark.parametrize("ends", ["while the line is cut", "once the line is back"])
def test_a_customer_sets_a_real_container_up_afresh_over_a_bad_line(
    ends: str, whole: WholePanel, line: Line, phone: Page
) -> None:
    fs = whole.path(101).fs
    (fs / "root/mine").write_text("precious\n")
    whole.save(101, "start", GATED)

    phone.goto(URL)
    through(phone)
    phone.reload()
    phone.get_by_label("Type web1.example").fill("WEB1.example")
    phone.get_by_role("button", name="Reinstall", exact=True).tap()
    phone.wait_for_url("**/operations/*/")
    operation = whole.last(101)
    whole.until_says(operation, b"begun\n")
    phone.reload()
    expect(phone.get_by_text("You can close this page")).to_be_visible()
    phone.get_by_role("link", name="Go to the log").tap()
    expect(phone.locator(".xterm-rows")).to_contain_text("begun")
    with line.cut():
        back = time.monotonic() + CUT
        expect(phone.get_by_text("Live updates are interrupted")).to_be_visible()
        (fs / "going-on").touch()  # in the new system by now
        whole.until_says(operation, b"going on\n")
        if ends == "while the line is cut":
            (fs / "open").touch()
            assert whole.until_over(operation) == "succeeded"
        time.sleep(max(0.0, back - time.monotonic()))
    if ends == "once the line is back":
        expect(phone.locator(".xterm-rows")).to_contain_text("going on")
        assert whole.progress(operation) == "running"
        (fs / "open").touch()
    expect(phone.get_by_text("web1.example has its new system and is running.")).to_be_visible()
    expect(phone.get_by_text("Live updates are interrupted")).to_be_hidden()
    assert not (fs / "root/mine").exists()
    assert (fs / "old/root/mine").read_text() == "precious\n"


@on_a_whole_panel
def test_a_customer_puts_the_old_system_back_and_the_new_one_again(
    whole: WholePanel, phone: Page
) -> None:
    fs = whole.path(101).fs
    (fs / "root/before").write_text("old\n")
    whole.pctl("reinstall", 101)
    (fs / "root/afterwards").write_text("new\n")
    phone.goto(f"/operations/{whole.last(101)}/")
    phone.get_by_role("link", name="undo this").tap()
    phone.get_by_role("button", name="Undo the reinstallation").tap()
    expect(
        phone.get_by_text("web1.example has its old system again and is running.")
    ).to_be_visible()
    assert (fs / "root/before").exists()
    assert not (fs / "root/afterwards").exists()
    phone.get_by_role("link", name="undo this").tap()  # and forth again
    phone.get_by_role("button", name="Put it back").tap()
    expect(
        phone.get_by_text("web1.example has its old system again and is running.")
    ).to_be_visible()
    assert (fs / "root/afterwards").exists()


@on_a_whole_panel
def test_a_stop_script_that_fails_is_passed_over_by_one_button(
    whole: WholePanel, phone: Page
) -> None:
    whole.save(101, "stop", "#!/bin/sh\nexit 5\n")
    phone.goto(URL)
    through(phone)
    phone.get_by_label("Type web1.example").fill("web1.example")
    phone.get_by_role("button", name="Reinstall", exact=True).tap()
    expect(phone.get_by_text("Nothing is lost")).to_be_visible()
    phone.get_by_role("button", name="Stop it without its stop script").tap()
    phone.get_by_label("Type web1.example").fill("web1.example")
    phone.get_by_role("button", name="Reinstall", exact=True).tap()
    expect(phone.get_by_text("web1.example has its new system and is running.")).to_be_visible()
