from django.contrib.auth.models import User
from playwright.sync_api import expect

from containers.models import Container
from tests.browser.conftest import Open
from tests.browser.server import PHONE


def test_somebody_signs_in_and_out_again(page_of: Open, bob: User, ct101: Container) -> None:
    page = page_of(None, "/containers/101/")
    expect(page.get_by_text("support@hosting.example")).to_be_visible()
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill("bob's own")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="web1")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_said_without_telling_which_part_is_wrong(
    page_of: Open, bob: User
) -> None:
    page = page_of(None)
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill("not bob's")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("user name or the password is wrong")


def test_a_customer_gets_in_with_the_link_that_staff_made(page_of: Open, alice: User) -> None:
    page = page_of(alice, "/people/new/")
    page.get_by_label("User name").fill("dave")
    page.get_by_role("button", name="Add and show the link").click()
    link = page.locator("#link").inner_text()
    theirs = page_of(None, link)
    theirs.get_by_label("New password", exact=True).fill("a horse, of course")
    theirs.get_by_label("Repeat the password").fill("a horse, of course")
    theirs.get_by_role("button", name="Set password").click()
    theirs.get_by_label("User name").fill("dave")
    theirs.get_by_label("Password").fill("a horse, of course")
    theirs.get_by_role("button", name="Sign in", exact=True).click()
    expect(theirs.get_by_role("heading", name="No containers yet")).to_be_visible()
    again = page_of(None, link)
    expect(again.get_by_role("heading", name="no longer works")).to_be_visible()


def test_the_theme_is_remembered(page_of: Open, bob: User) -> None:
    page = page_of(bob, "/account/")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save theme").click()
    page.goto("/containers/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_the_theme_follows_the_system_unless_told_otherwise(page_of: Open, bob: User) -> None:
    page = page_of(bob, color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_menu_opens_on_a_phone(page_of: Open, alice: User, ct101: Container) -> None:
    page = page_of(alice, viewport=PHONE)
    expect(page.get_by_role("link", name="Operations")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("heading", name="Operations", exact=True)).to_be_visible()


def test_the_keyboard_skips_the_menu(page_of: Open, alice: User) -> None:
    page = page_of(alice)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Create a container").first).to_be_focused()
