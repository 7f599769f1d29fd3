"""Operations watched live."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from containers.models import Container, Operation, OperationStep
from tests.browser.conftest import Open
from tests.browser.server import PHONE, Panel, wait_for


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


LONG = b"".join(
    b"line %d: %s\n" % (n, b"an Error" if n % 100 == 7 else b"well") for n in range(500)
)


@pytest.mark.parametrize("phone", [False, True])
def test_all_matches_are_marked_counted_and_gone_through(
    phone: bool, page_of: Open, bob: User, running: Operation
) -> None:
    say(running, LONG)
    size: dict[str, Any] = {"viewport": PHONE} if phone else {}
    page = page_of(bob, running.get_absolute_url(), **size)
    shown(page, len(LONG))
    found = page.locator(".log-search [role=status]")
    page.get_by_role("searchbox").fill("error")
    expect(found).to_have_text("1 of 5")
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("line 7: an Error")
    for way, at, line in (("Next", 2, 107), ("Previous", 1, 7), ("Previous", 5, 407)):
        page.get_by_role("button", name=f"{way} match").click()
        expect(found).to_have_text(f"{at} of 5")
        expect(rows).to_contain_text(f"line {line}: an Error")
    page.get_by_role("searchbox").press("Escape")
    page.get_by_role("searchbox").fill("line 4")
    expect(found).to_have_text("1 of 111")
    page.get_by_role("searchbox").press("Enter")
    expect(found).to_have_text("2 of 111")
    page.get_by_role("searchbox").press("Shift+Enter")
    expect(found).to_have_text("1 of 111")
    say(running, b"line 4 again\n")
    expect(found).to_have_text("1 of 112")
    page.get_by_role("searchbox").fill("well")
    expect(found).to_have_text(re.compile("of 495"))
    assert {"51, 84, 138", "84, 67, 12"} <= grounds(page)
    page.get_by_role("searchbox").fill("nowhere")
    expect(found).to_have_text("No match")
    expect(page.get_by_role("button", name="Next match")).to_be_disabled()
    page.get_by_role("searchbox").press("Escape")
    expect(found).to_be_empty()


def grounds(page: Page) -> set[str]:
    """The colours behind what is in view of the log: of the match that is looked at, the others."""
    words = page.locator(".xterm-rows span")
    found = words.evaluate_all("all => all.map(each => getComputedStyle(each).backgroundColor)")
    return {color.removeprefix("rgb(").removesuffix(")") for color in found}


def test_the_logs_last_column_is_beside_its_scrollbar(
    page_of: Open, bob: User, running: Operation
) -> None:
    say(running, LONG + b"x" * 3000)
    page = page_of(bob, running.get_absolute_url())
    shown(page, len(LONG) + 3000)
    edges = """() => [
        Math.max(...[...document.querySelectorAll(".xterm-rows > div > span")].map(
            span => span.getBoundingClientRect().right)),
        document.querySelector(".xterm .scrollbar.vertical").getBoundingClientRect().left]"""
    text, scrollbar = page.evaluate(edges)
    assert text <= scrollbar


@pytest.mark.parametrize("javascript", [True, False])
def test_plain_text_is_searched_too(
    javascript: bool, page_of: Open, bob: User, running: Operation
) -> None:
    say(running, b"\x1b[1;34m==>\x1b[0m begin\n" + LONG)
    page = page_of(bob, running.get_absolute_url(), java_script_enabled=javascript)
    page.get_by_role("link", name="Show as plain text").click()
    expect(page.locator("pre")).to_contain_text("==> begin")
    assert "[1;34m" not in page.locator("pre").inner_text()
    page.get_by_role("searchbox").fill("error")
    page.get_by_role("searchbox").press("Enter")
    found = page.get_by_role("status").filter(has_text="of 5")
    expect(found).to_have_text("1 of 5")
    expect(page.locator("mark")).to_have_count(5)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for way, at in (("Next", 2), ("Previous", 1), ("Previous", 5)):
        page.get_by_role("link", name=f"{way} match").click()
        expect(found).to_have_text(f"{at} of 5")
        expect(page.locator("mark").nth(at - 1)).to_be_in_viewport()
        assert page.locator("mark").nth(at - 1).get_attribute("id") == "match"
    if javascript:
        page.get_by_role("searchbox").press("Enter")
        expect(found).to_have_text("1 of 5")
        page.get_by_role("searchbox").press("Shift+F3")
        expect(found).to_have_text("5 of 5")
        assert not [url for url in asked if "/log/text" in url]


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
