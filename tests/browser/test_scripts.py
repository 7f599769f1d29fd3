"""Scripts written in the browser."""

import base64
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from containers.models import Container, Inquiry, Node, Operation
from containers.node.errors import OperationError, Problem
from containers.node.states import Progress
from tests.browser.conftest import Open

PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  document.querySelector(".cm-content").dispatchEvent(paste);
}"""


def write(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.evaluate(PASTE, text)


def text_of(container: Container) -> str:
    current = container.scripts.get(name="mount").current
    assert current
    return current.text


def test_a_script_is_written_checked_changed_compared_and_restored(
    page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/")
    write(page, "#!/bin/sh\necho one\n")
    page.get_by_label("What you changed, and why").fill("the first")
    page.get_by_role("button", name="Save as version 1").click()
    expect(
        page.get_by_text("Saved as version 1. It runs at the next start or mount.")
    ).to_be_visible()
    write(page, "#!/bin/sh\necho two\n")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    assert text_of(ct101) == "#!/bin/sh\necho two\n"
    page.get_by_role("link", name="Versions").click()
    expect(page.locator(".diff .removed")).to_have_text("-echo one")
    expect(page.locator(".diff .added")).to_have_text("+echo two")
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("Version 1 restored, as version 3.")).to_be_visible()
    assert text_of(ct101) == "#!/bin/sh\necho one\n"


def test_shellcheck_speaks_beside_the_line(page_of: Open, alice: User, ct101: Container) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/")
    write(page, "#!/bin/sh\necho $1\n")
    page.locator(".cm-lint-marker").hover()
    expect(page.locator(".cm-tooltip-lint")).to_contain_text("SC2086")


def test_pasted_crlf_is_repaired_with_a_notice(
    page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/")
    write(page, "#!/bin/sh\r\nexit 0\r\n")
    expect(page.locator("#crlf-notice")).to_be_visible()
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_text("They were changed to end in LF")).to_be_visible()
    assert text_of(ct101) == "#!/bin/sh\nexit 0\n"


def test_what_is_refused_stays_in_the_editor(page_of: Open, alice: User, ct101: Container) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/")
    write(page, "echo kept as it was\n")
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 1 must name the interpreter")
    expect(page.locator(".cm-content")).to_contain_text("echo kept as it was")
    assert not ct101.scripts.exists()


def test_without_javascript_a_script_is_written_in_a_plain_field(
    page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/", java_script_enabled=False)
    field = page.get_by_label("Script", exact=True)
    assert "mono" in field.evaluate("e => getComputedStyle(e).fontFamily")
    expect(page.get_by_role("button", name="Put it in the editor")).to_be_hidden()
    field.fill("#!/bin/sh\necho $1\n")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Line 2:")).to_contain_text("SC2086")
    page.get_by_role("button", name="Save as version 1").click()
    assert text_of(ct101) == "#!/bin/sh\necho $1\n"


def test_a_global_script_is_published_when_it_is_saved(
    page_of: Open, alice: User, alpha: Node, ct101: Container
) -> None:
    page = page_of(alice, "/scripts/alpha/mount/")
    expect(page.get_by_text("1 container on alpha")).to_be_visible()
    page.get_by_role("button", name="Put it in the editor").click()
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_role("heading", name="Publish the global scripts of alpha")).to_be_visible()
    operation = Operation.objects.get()
    assert (operation.kind, operation.resource) == ("publish", "global scripts")


@pytest.mark.parametrize("javascript", [True, False])
def test_two_people_edit_one_script_and_the_second_chooses(
    javascript: bool, page_of: Open, alice: User, ct101: Container
) -> None:
    script = ct101.scripts.create(name="mount")
    script.write(b"#!/bin/sh\necho one\necho two\n", by=None)
    page = page_of(alice, "/containers/101/scripts/mount/", java_script_enabled=javascript)
    script.write(b"#!/bin/sh\necho one\necho theirs\n", by=alice, reason="why")
    mine = "#!/bin/sh\necho mine\necho two\n"
    if javascript:
        write(page, mine)
    else:
        page.get_by_label("Script", exact=True).fill(mine)
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("Version 2 was saved by alice meanwhile")
    expect(page.locator("#theirs .added")).to_have_text("+echo theirs")
    expect(page.locator("#mine .added")).to_have_text(["+echo mine", "+echo two"])
    if javascript:
        expect(page.locator(".cm-content")).to_contain_text("echo mine")
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("Saved as version 3.")).to_be_visible()
    assert text_of(ct101) == mine
    script.write(b"#!/bin/sh\necho theirs again\n", by=alice)
    page.get_by_label("What you changed, and why").fill("mine again")
    if javascript:
        write(page, "#!/bin/sh\necho mine again\n")
    else:
        page.get_by_label("Script", exact=True).fill("#!/bin/sh\necho mine again\n")
    page.get_by_role("button", name="Save as version 4").click()
    page.get_by_role("link", name="Take version 4 and drop mine").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    shown = page.locator(".cm-content" if javascript else "textarea[name=body]")
    expect(shown).to_contain_text("echo theirs again")


@pytest.mark.parametrize("where", [".cm-content", "[name=reason]", "#main"])
def test_ctrl_s_saves_wherever_the_keyboard_is(
    where: str, page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/scripts/mount/")
    write(page, "#!/bin/sh\necho one\n")
    page.locator(where).focus()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    assert text_of(ct101) == "#!/bin/sh\necho one\n"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_start_script_is_saved_and_run_at_once(
    javascript: bool, page_of: Open, alice: User, ct101: Container
) -> None:
    page = page_of(alice, "/containers/101/scripts/start/", java_script_enabled=javascript)
    if javascript:
        write(page, "echo hello\n")
    else:
        page.get_by_label("Script", exact=True).fill("echo hello\n")
    page.get_by_role("button", name="Save and run (start)").click()
    expect(page.get_by_role("heading", name="Start web1")).to_be_visible()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    assert Operation.objects.get().kind == "start"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_file_the_panel_did_not_write_is_looked_at_and_imported(
    javascript: bool, page_of: Open, alice: User, ct101: Container, running: Operation, ring: Any
) -> None:
    path = "/vz/private/101/scripts/mount"
    refusal = OperationError(Problem.FOREIGN_FILE, path=path, scope="own", action="mount")
    running.end(Progress.FAILED, code=1, **refusal.record)
    page = page_of(alice, running.get_absolute_url(), java_script_enabled=javascript)
    page.get_by_role("link", name="Import the file").click()
    expect(page.get_by_text("Reading the file on alpha")).to_be_visible()
    mine = "#!/bin/sh\necho by hand\ntc qdisc del dev venet0 root\n"
    body = base64.b64encode(mine.encode()).decode()
    Inquiry.objects.update(answer={"path": path, "body": body}, answered=now())
    if javascript:
        ring(everybody=True, inquiry=1)
    else:
        page.get_by_role("link", name="Show what was found").click()
    expect(page.get_by_text("echo by hand")).to_be_visible()
    expect(page.get_by_text("It uses venet0, which is not here")).to_be_visible()
    page.get_by_role("button", name="Import it as version 1").click()
    expect(page.get_by_text("Imported as version 1")).to_be_visible()
    assert text_of(ct101) == mine
