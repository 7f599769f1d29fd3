"""Operations watched live."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from containers.models import Container, Operation, OperationStep
from tests.browser.conftest import Open
from tests.browser.server import Panel, wait_for


def say(operation: Operation, data: bytes, *, staff_only: bool = False) -> None:
    """What the node's worker does with news of a log."""
    with transaction.atomic():
        row = Operation.objects.get(pk=operation.pk)
        row.chunks.create(offset=row.log_len, data=data, staff_only=staff_only)
        Operation.objects.filter(pk=row.pk).update(log_len=F("log_len") + len(data))


def screen(page: Page) -> str:
    """The lines of the terminal that are in view."""
    return page.locator(".xterm-rows").inner_text()


def shown(page: Page, offset: int) -> None:
    """Wait until everything up to an offset was written to the terminal."""
    page.wait_for_function("at => Number(log.dataset.shown) >= at", arg=offset)


def test_the_log_appears_as_it_is_written_in_colour(
    page_of: Open, bob: User, running: Operation
) -> None:
    page = page_of(bob, running.get_absolute_url())
    say(running, b"==> \x1b[31mred\x1b[0m gr\xc3\xbc\xc3\x9fe \x1b[38;2;1;2;3mink\x1b[0m\n")
    expect(page.locator(".xterm-rows")).to_contain_text("==> red grüße ink")
    red = page.locator(".xterm-rows span", has_text="red").first
    assert red.evaluate("e => getComputedStyle(e).color") == "rgb(255, 123, 114)"
    ink = page.locator(".xterm-rows span", has_text="ink").first
    assert ink.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    say(running, b"and more\n")
    expect(page.locator(".xterm-rows")).to_contain_text("and more")


def test_a_dropped_connection_costs_no_byte(
    page_of: Open, bob: User, running: Operation, panel: Panel
) -> None:
    page = page_of(bob, running.get_absolute_url())
    say(running, b"one\n")
    expect(page.locator(".xterm-rows")).to_contain_text("one")
    panel.stop()
    expect(page.get_by_text("no output will be missing")).to_be_visible()
    say(running, b"two\n")
    panel.start()
    say(running, b"three\n")
    expect(page.locator(".xterm-rows")).to_contain_text("three")
    expect(page.get_by_text("no output will be missing")).to_be_hidden()
    assert screen(page).split()[:3] == ["one", "two", "three"]


def test_the_log_follows_only_the_reader_at_its_end(
    page_of: Open, bob: User, running: Operation
) -> None:
    page = page_of(bob, running.get_absolute_url())
    lines = b"".join(b"line %d\n" % n for n in range(500))
    say(running, lines)
    shown(page, len(lines))
    expect(page.locator(".xterm-rows")).to_contain_text("line 499")
    page.locator(".log-screen").hover()
    page.mouse.wheel(0, -1500)
    latest = page.get_by_role("button", name="Jump to latest")
    expect(latest).to_be_visible()
    before = screen(page)
    say(running, b"news 1\nnews 2\nnews 3\n")
    expect(latest).to_contain_text("(3 new)")
    assert screen(page) == before
    latest.click()
    expect(page.locator(".xterm-rows")).to_contain_text("news 3")
    expect(latest).to_be_hidden()
    say(running, b"followed\n")
    expect(page.locator(".xterm-rows")).to_contain_text("followed")


def test_a_megabyte_is_shown_to_its_end(page_of: Open, alice: User, running: Operation) -> None:
    line = b"%06d the quick brown fox jumps over the lazy dog\n"
    for begin in range(0, 20000, 1000):
        say(running, b"".join(line % n for n in range(begin, begin + 1000)))
    Operation.objects.filter(pk=running.pk).update(state="succeeded")
    page = page_of(alice, running.get_absolute_url())
    expect(page.locator(".xterm-rows")).to_contain_text("019999 the quick")
    page.get_by_role("searchbox").fill("010000 the")
    expect(page.locator(".xterm-rows")).to_contain_text("010000 the quick")


def test_what_a_customer_may_not_read_is_left_out_and_the_rest_goes_on(
    page_of: Open, bob: User, running: Operation
) -> None:
    page = page_of(bob, running.get_absolute_url())
    say(running, b"on the node\n", staff_only=True)
    say(running, b"in the container\n")
    expect(page.locator(".xterm-rows")).to_contain_text("in the container")
    assert "on the node" not in screen(page)


def test_a_log_cannot_speak_to_the_page(page_of: Open, alice: User, running: Operation) -> None:
    title = "Start web1 · Panel"
    say(running, b"\x1b]0;owned\x07<img src=x onerror=alert(1)>\x1b]52;c;b3duZWQ=\x07\n")
    page = page_of(alice, running.get_absolute_url())
    expect(page.locator(".xterm-rows")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.title() == title


def test_without_javascript_the_log_is_there_as_text(
    page_of: Open, alice: User, running: Operation
) -> None:
    say(running, b"\x1b[1;31mFATAL\x1b[0m <b>& more\n")
    page = page_of(alice, running.get_absolute_url(), java_script_enabled=False)
    assert page.locator("pre").inner_text().strip() == "FATAL <b>& more"
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()


def test_steps_change_while_somebody_looks(
    page_of: Open, bob: User, running: Operation, ring: Callable[..., Any]
) -> None:
    step = OperationStep.objects.create(
        operation=running, number=0, key="mount", label="mount its file system", state="running"
    )
    page = page_of(bob, running.get_absolute_url())
    expect(page.locator(".step-running")).to_contain_text("Mount its file system")
    OperationStep.objects.filter(pk=step.pk).update(state="done")
    ring(operation=running.pk, ctid=101, everybody=True)
    expect(page.locator(".step-done")).to_contain_text("Mount its file system")


def test_a_failure_is_one_sentence_with_the_buttons_that_apply(
    page_of: Open, alice: User, ct101: Container
) -> None:
    Container.objects.update(state="running")
    operation = ct101.request("stop", by=alice)
    OperationStep.objects.create(
        operation=operation, number=1, key="own-stop", label="run its stop script",
        where="container", state="failed", code=1, version=12, began=now(),
    )  # fmt: skip
    Operation.objects.update(
        state="failed",
        problem="script-failed",
        details={"scope": "own", "action": "stop", "exit": 1},
        code=79,
        finished=F("requested"),
    )
    page = page_of(alice, operation.get_absolute_url())
    sentence = "It failed. Its stop script ended with exit code 1. Nothing was undone."
    expect(page.locator(".notice-error")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("link", name="Edit its stop script v12")).to_be_visible()
    page.get_by_role("link", name="Stop without its stop script").click()
    page.get_by_label("Stop it without its stop script").check()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Enter why its stop script is skipped.")).to_be_visible()
    page.get_by_label("Reason").fill("it hangs on a dead mount")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("it hangs on a dead mount")).to_be_visible()
    last = Operation.objects.latest("pk")
    assert (last.kind, last.params) == ("stop", {"without_stop_script": True})


def test_an_operation_that_has_ended_says_so_without_a_reload(
    page_of: Open, bob: User, running: Operation
) -> None:
    page = page_of(bob, running.get_absolute_url())
    expect(page.locator("#progress .state-active")).to_be_visible()
    Operation.objects.filter(pk=running.pk).update(state="succeeded", finished=F("requested"))
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    wait_for(lambda: bool(page.evaluate("log.dataset.ended")), lambda: "no end of the log")


def test_the_keyboard_moves_through_the_log_and_out_of_it(
    page_of: Open, bob: User, running: Operation
) -> None:
    lines = b"".join(b"line %d\n" % n for n in range(500))
    say(running, lines)
    page = page_of(bob, running.get_absolute_url())
    shown(page, len(lines))
    page.locator(".log-screen").click()
    page.keyboard.press("Home")
    expect(page.locator(".xterm-rows")).to_contain_text("line 0")
    expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator(".xterm-rows")).to_contain_text("line 499")
    page.keyboard.press("PageUp")
    page.keyboard.press("Control+f")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.locator(".log-screen").click()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Jump to latest")).to_be_focused()
