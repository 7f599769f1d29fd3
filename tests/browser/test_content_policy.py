"""What the policy of contents forbids is not asked for: no style attributes above all."""

from django.contrib.auth.models import User
from playwright.sync_api import expect

from containers.models import Container, Operation
from tests.browser.conftest import Open
from tests.browser.test_operations import say, shown

REPORTS = """window.refused = [];
addEventListener("securitypolicyviolation", (event) =>
    refused.push(`${event.violatedDirective} ${event.sourceFile} ${event.sample}`), true);"""


def test_the_editor_asks_for_no_style_that_the_policy_refuses(
    page_of: Open, alice: User, ct101: Container
) -> None:
    """Typing, what completes it, searching, replacing, shellcheck's words, a jump to a line."""
    page = page_of(alice, "/account/")
    page.add_init_script(REPORTS)
    page.goto("/containers/101/scripts/mount/")
    page.get_by_role("button", name="Put it in the editor").click()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type('\necho $1 ( [ { "" \'a\nif ec\u200b\tfi')
    page.keyboard.press("Control+Space")
    page.keyboard.press("Escape")
    page.locator(".cm-lint-marker").first.hover()
    expect(page.locator(".cm-tooltip-lint")).to_be_visible()
    for keys in ("Control+f", "Escape", "Alt+g", "Escape", "Control+Shift+m", "Escape"):
        page.locator(".cm-content").focus()
        page.keyboard.press(keys)
    page.locator(".cm-gutterElement").nth(3).click()
    page.mouse.wheel(0, 300)
    assert page.evaluate("refused") == []


def test_the_log_asks_for_no_style_that_the_policy_refuses(
    page_of: Open, alice: User, running: Operation
) -> None:
    page = page_of(alice, "/account/")
    page.add_init_script(REPORTS)
    colours = b"\x1b[38;2;1;2;3;48;5;200;4:3;58:2::9:9:9mink\x1b[0m \x1b[7;9mink\x1b[0m"
    text = (colours + " 日\n".encode()) * 99
    say(running, text)
    page.goto(running.get_absolute_url())
    shown(page, len(text))
    page.get_by_role("searchbox").fill("ink")
    expect(page.locator(".log-matches")).to_have_text("1 of 198")
    page.locator("[data-part=wrap]").uncheck()
    assert page.evaluate("refused") == []
