"""A whole panel in a real browser: people, containers that really run, their scripts live."""

import itertools
import os
import re
import signal
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from containers.node import observed
from containers.node.conf import CHECKOUT
from containers.node.states import State
from tests import nginx
from tests.browser.server import DESKTOP, PHONE, SHOWN_WITHIN
from tests.real.panel import Panel, whole_panel

pytestmark = [pytest.mark.real, pytest.mark.redis, pytest.mark.timeout(180)]
CTIDS = itertools.count(201)
PASSWORDS = {"alice": "alice's horse stands here", "bob": "bob's boat lies there"}
TALL = {"width": 1280, "height": 1500}  # a short log is in view whole
SCREENSHOT = CHECKOUT / "docs" / "operation.png"
LARGEST = 300 * 1000  # bytes of it
LINES = "\n".join(f"line {n}" for n in range(1, 6))
# While the web process is away; and a browser on the node itself sees that interfaces come and go.
AWAY = "WebSocket connection|ERR_CONNECTION|ERR_NETWORK_CHANGED|htmx:sendError|htmx:afterRequest"
HARMLESS = re.compile(rf"{AWAY}|status of 409")


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    """Of alice, who is staff, and bob, a customer."""
    with whole_panel() as panel:
        for name, password in PASSWORDS.items():
            staff = ["--staff"] if name == "alice" else []
            panel.pctl("user", "create", name, *staff, "--password-stdin", stdin=f"{password}\n")
        yield panel


Open = Callable[..., Page]


@pytest.fixture
def window(chromium: Browser, panel: Panel) -> Iterator[Open]:
    """A window that somebody signed in with, by the form. No page may make its console complain."""
    contexts, complaints = [], []

    def open(name: str | None, path: str = "/", url: str = "", **options: object) -> Page:
        values = {"base_url": url or panel.url, "viewport": DESKTOP, **options}
        context = chromium.new_context(**values)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(SHOWN_WITHIN * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: note(page.url, said.type, said.text))
        page.goto(path)
        if name:
            page.get_by_label("User name").fill(name)
            page.get_by_label("Password").fill(PASSWORDS[name])
            page.get_by_role("button", name="Sign in", exact=True).click()
            expect(page.get_by_role("button", name="Sign in", exact=True)).to_have_count(0)
        return page

    def note(where: str, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not HARMLESS.search(text):
            complaints.append(f"{where}: {text}")

    yield open
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def ctid(panel: Panel) -> Iterator[int]:
    number = next(CTIDS)
    panel.pctl("create", number, "--ostemplate", "busybox", "--hostname", f"web{number}")
    yield number
    destroy(panel, number)


def destroy(panel: Panel, ctid: int) -> None:
    panel.save(ctid, "umount", "#!/bin/sh\n")
    panel.pctl("stop", ctid, "--fast", "--without-stop-script", "--reason", "the test is over")
    if observed.mounted(panel.path(ctid).root):
        panel.pctl("umount", ctid)
    panel.pctl("destroy", ctid)


def screen(page: Page) -> list[str]:
    """What the terminal shows, line by line."""
    lines = page.locator(".xterm-rows > div").all_inner_texts()
    return [line.replace("\xa0", " ").rstrip() for line in lines if line.strip()]


def plain(log: bytes) -> list[str]:
    """A log as it looks: without its colours."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log.decode()).splitlines()
    return [line.rstrip() for line in lines if line.strip()]


def waiting_for(path: Path | str, before: str, after: str) -> str:
    return f"#!/bin/sh\necho {before}\nwhile [ ! -e {path} ]; do sleep 0.02; done\necho {after}\n"


def write(page: Page, name: str, body: str) -> None:
    """A container's script, typed in the editor; page: the container's."""
    page.get_by_role("link", name=f"Its {name} script").first.click()
    page.locator("#editor .cm-content").click()
    page.keyboard.insert_text(body)
    page.get_by_label("What you changed, and why").fill("to see it run")
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()


def operation_of(page: Page) -> int:
    found = re.search(r"/operations/(\d+)/", page.url)
    assert found, page.url
    return int(found[1])


def step(page: Page, label: str, state: str) -> None:
    expect(page.locator(f"#progress .step-{state}", has_text=label)).to_be_visible()


def test_from_the_form_to_a_container_whose_scripts_are_seen_while_they_run(
    window: Open, panel: Panel, tmp_path: Path
) -> None:
    number = next(CTIDS)
    page = window("alice", "/containers/")
    page.get_by_role("link", name="Create a container").first.click()
    page.get_by_role("radio", name="busybox").check()
    page.get_by_label("CT ID").fill(f"{number}")
    page.get_by_label("Host name").fill("shop.example")
    page.get_by_label("Start it once it's created").uncheck()
    page.get_by_role("button", name="Create container").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    expect(page.locator("#secret")).to_have_text(re.compile(r"\w{16}"))

    page.goto(f"/containers/{number}/")
    write(page, "mount", waiting_for(tmp_path / "mount", "shared disk is checked", "it is fine"))
    page.goto(f"/containers/{number}/")
    write(page, "start", waiting_for("/open", "database is upgraded", "it is new"))
    page.goto(f"/containers/{number}/")
    page.locator("#do-start").click()

    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("shared disk is checked")
    page.evaluate("window.unloaded = false")
    step(page, "Run its mount script", "running")
    assert not any("it is fine" in line for line in screen(page))
    (tmp_path / "mount").touch()
    expect(rows).to_contain_text("it is fine")
    step(page, "Run its mount script", "done")
    expect(rows).to_contain_text("database is upgraded")
    step(page, "Run its start script", "running")
    expect(page.locator("#progress")).to_contain_text("in the container")
    if os.environ.get("SCREENSHOT"):
        page.screenshot(path=SCREENSHOT)
        assert SCREENSHOT.stat().st_size < LARGEST
    (panel.path(number).fs / "open").touch()
    expect(rows).to_contain_text("it is new")
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    step(page, "Start its init", "done")
    assert page.evaluate("window.unloaded") is False  # not once was the page loaded anew

    page.get_by_role("link", name=f"CT {number}").first.click()
    expect(page.locator("#state .state-running")).to_be_visible()
    page.locator("#do-stop").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    assert observed.state_of(panel.path(number)) is State.STOPPED
    page.goto("about:blank")
    destroy(panel, number)


def test_a_log_is_whole_after_its_connection_was_cut_in_the_middle(
    panel: Panel, ctid: int, window: Open, tmp_path: Path
) -> None:
    gates = [tmp_path / "first", tmp_path / "second"]
    body = f"#!/bin/sh\necho '{LINES}'\n"
    for gate in gates:
        body += f"while [ ! -e {gate} ]; do sleep 0.02; done\necho 'after {gate.name}: {LINES}'\n"
    panel.save(ctid, "mount", body)
    operation = panel.request("start", ctid)
    panel.until_says(operation, b"line 5\n")
    page = window("alice", f"/operations/{operation}/", viewport=TALL)
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("line 5")
    panel.stop("web", by=signal.SIGKILL)
    expect(page.get_by_text("no output will be missing")).to_be_visible()
    gates[0].touch()
    panel.until_says(operation, b"after first")
    panel.start("web")
    expect(rows).to_contain_text("after first")
    panel.stop("web")  # in order, this time
    panel.start("web")
    gates[1].touch()
    expect(rows).to_contain_text("after second")
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    page.wait_for_function("log.dataset.ended")
    log = panel.pctl("operation", "log", operation)
    page.wait_for_function("size => Number(log.dataset.shown) === size", arg=len(log.encode()))
    assert screen(page) == plain(log.encode())


def test_a_refusing_start_script_is_one_sentence_and_the_rows_of_what_was_undone(
    panel: Panel, ctid: int, window: Open
) -> None:
    panel.save(ctid, "start", "echo no room for a database; exit 3\n")
    page = window("alice", f"/containers/{ctid}/")
    page.locator("#do-start").click()
    failure = page.locator(".notice-error")
    expect(failure).to_contain_text("Its start script ended with exit code 3.")
    expect(failure).to_contain_text(
        "remove the container from the runtime, dismount its file system"
    )
    expect(failure).to_contain_text("The container is stopped now.")
    step(page, "Run its start script", "failed")
    step(page, "Remove the container from the runtime", "undone")
    step(page, "Dismount its file system", "undone")
    expect(page.locator(".xterm-rows")).to_contain_text("no room for a database")
    page.get_by_role("link", name="Edit its start script v1").click()
    expect(page.locator("#editor")).to_contain_text("no room for a database")
    assert observed.state_of(panel.path(ctid)) is State.STOPPED


def test_staff_stops_what_its_stop_script_keeps_running_and_says_why(
    panel: Panel, ctid: int, window: Open
) -> None:
    panel.save(ctid, "stop", "echo not now; exit 1\n")
    panel.pctl("start", ctid)
    page = window("alice", f"/containers/{ctid}/operations/new/stop/")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".notice-error")).to_contain_text("The container is running now.")
    page.get_by_role("link", name="Stop without its stop script").click()
    page.get_by_label("Stop it without its stop script").check()
    page.get_by_label("Reason").fill("its stop script is broken")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("its stop script is broken")
    assert "not now" not in "\n".join(screen(page))
    assert observed.state_of(panel.path(ctid)) is State.STOPPED


def test_bob_operates_what_alice_hands_over_and_sees_nothing_else(
    panel: Panel, ctid: int, window: Open
) -> None:
    other = next(CTIDS)
    panel.pctl("create", other, "--ostemplate", "busybox")
    panel.save(ctid, "mount", "#!/bin/sh\necho said on the node\n")
    panel.save(ctid, "start", "echo said in the container\n")
    page = window("alice", f"/containers/{ctid}/settings/")
    page.get_by_label("Owner").select_option("bob")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed: owner.")).to_be_visible()

    page = window("bob", "/containers/")
    expect(page.get_by_role("link", name=f"web{ctid}")).to_be_visible()
    expect(page.get_by_text(f"ct{other}")).to_have_count(0)
    page.get_by_role("link", name=f"web{ctid}").click()
    expect(page.get_by_text("Its mount script")).to_have_count(0)
    page.locator("#do-start").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    expect(page.locator(".xterm-rows")).to_contain_text("said in the container")
    assert "said on the node" not in "\n".join(screen(page))
    operation = operation_of(page)
    for path in ("log", "log/download"):
        text = page.request.get(f"/operations/{operation}/{path}").text()
        assert "said in the container" in text
        assert "said on the node" not in text

    page.goto(f"/containers/{ctid}/settings/")
    page.get_by_label("Host name").fill("bobs.example")
    page.get_by_role("button", name="Set host name").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    assert panel.pctl("exec", ctid, "hostname") == "bobs.example\n"
    page.goto(f"/containers/{ctid}/password/")
    page.get_by_role("button", name="Set password").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    password = page.locator("#secret").inner_text()
    shadow = panel.pctl("exec", ctid, "cat", "/etc/shadow")
    assert re.match(r"root:\$", shadow)
    assert password not in shadow

    elsewhere = [f"/containers/{other}/", f"/containers/{ctid}/scripts/mount/", "/scripts/",
                 "/nodes/", "/people/", "/templates/", "/audit/", "/containers/new/",
                 f"/containers/{ctid}/scripts/mount/versions/"]  # fmt: skip
    answers = {path: page.request.get(path).status for path in elsewhere}
    assert set(answers.values()) <= {403, 404}, answers
    assert answers[f"/containers/{other}/"] == 404

    page.goto(f"/containers/{ctid}/")
    page.locator("#do-stop").click()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    assert observed.state_of(panel.path(ctid)) is State.STOPPED
    page.goto("about:blank")
    destroy(panel, other)


def test_two_at_once_is_answered_with_a_page_that_names_the_holder(
    panel: Panel, ctid: int, window: Open, tmp_path: Path
) -> None:
    gate = tmp_path / "open"
    page = window("alice", f"/containers/{ctid}/")
    panel.save(ctid, "mount", waiting_for(gate, "early", "late"))
    stale = page.locator("#do-start").evaluate("button => button.form.outerHTML")
    operation = panel.request("start", ctid)
    panel.until_says(operation, b"early")
    page.evaluate(
        "form => { document.body.insertAdjacentHTML('beforeend', form);"
        " document.body.lastElementChild.id = 'stale'; }",
        stale,
    )
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.evaluate("document.getElementById('stale').submit()")
    assert posted.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text(f"operation {operation} (Start)")
    gate.touch()
    assert panel.until_over(operation) == "succeeded"


def test_a_phone_starts_a_container_and_no_page_is_wider_than_it(
    panel: Panel, ctid: int, window: Open
) -> None:
    page = window("alice", f"/containers/{ctid}/", viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator("#do-start").tap()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    paths = [page.url, "/containers/", f"/containers/{ctid}/", "/containers/new/", "/operations/",
             "/scripts/", "/nodes/", "/templates/", "/people/", "/account/",
             f"/containers/{ctid}/scripts/mount/", f"/containers/{ctid}/settings/"]  # fmt: skip
    wide = {}
    for path in paths:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[path] = width
    assert not wide


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_that_alice_can_come_to_works_in_both_themes(
    panel: Panel, ctid: int, window: Open, theme: str
) -> None:
    """What a console would complain of, as of what the policy of contents forbids, fails it."""
    panel.save(ctid, "start", "echo hello\n")
    panel.pctl("start", ctid)
    page = window("alice", f"/containers/{ctid}/", color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    seen, todo = set(), [f"/containers/{ctid}/", "/containers/"]
    while todo:
        path = todo.pop()
        shape = re.sub(r"\d+", "N", path)
        if shape in seen or "download" in path or path.endswith("/log"):
            continue
        seen.add(shape)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        todo += page.eval_on_selector_all(
            "a[href^='/']", "links => links.map(link => link.pathname)"
        )
    assert {"/containers/N/", "/operations/N/", "/people/", "/templates/", "/scripts/"} <= seen


def test_through_nginx_and_tls_logs_are_live_and_strangers_kept_out(
    panel: Panel, ctid: int, window: Open, tmp_path: Path
) -> None:
    host, port = "panel.localhost", nginx.free_ports(1)[0]
    gate = tmp_path / "open"
    panel.save(ctid, "mount", waiting_for(gate, "early", "late"))
    (tmp_path / "nginx").mkdir()
    with (
        panel.another_web(port, PANEL_ALLOWED_HOSTS=host, PANEL_SECURE="1"),
        nginx.before(f"127.0.0.1:{port}", tmp_path / "nginx", host) as site,
    ):
        page = window("alice", f"/containers/{ctid}/", url=site.url, ignore_https_errors=True)
        page.locator("#do-start").click()
        expect(page.locator(".xterm-rows")).to_contain_text("early")
        gate.touch()
        expect(page.locator(".xterm-rows")).to_contain_text("late")
        expect(page.locator("#progress .state-succeeded")).to_be_visible()
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
        assert all(cookie["secure"] for cookie in cookies.values()), cookies
        said = "; ".join(f"{name}={cookie['value']}" for name, cookie in cookies.items())
        operation = operation_of(page)

        def knock(origin: str) -> int:
            plug = socket.create_connection(("127.0.0.1", site.https))
            trust = ssl.create_default_context(cafile=site.certificate)
            address = f"wss://{host}:{site.https}/ws/operations/{operation}/log"
            try:
                with connect(
                    address, sock=plug, ssl=trust, origin=Origin(origin),
                    additional_headers={"Cookie": said},
                ) as line:  # fmt: skip
                    line.recv()
                    return 101
            except InvalidStatus as refused:
                return refused.response.status_code

        assert knock(site.url) == 101
        assert knock(f"http://{host}:{site.https}") == 403
        assert knock(f"https://{host}:1") == 403
        assert knock("https://elsewhere.example") == 403
        stranger = urllib.request.Request(
            f"http://127.0.0.1:{port}/login/", headers={"Host": "elsewhere.example"}
        )
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(stranger)


def test_without_javascript_somebody_signs_in_starts_a_container_and_reads_its_log(
    panel: Panel, ctid: int, window: Open
) -> None:
    panel.save(ctid, "start", "echo 'said <in> the container'\n")
    page = window("alice", f"/containers/{ctid}/", java_script_enabled=False)
    page.get_by_role("button", name="Start", exact=True).click()
    operation = operation_of(page)
    assert panel.until_over(operation) == "succeeded"
    page.reload()
    expect(page.locator("#progress .state-succeeded")).to_be_visible()
    expect(page.locator("pre.log-text")).to_contain_text("said <in> the container")
    page.goto(f"/containers/{ctid}/")
    expect(page.locator("#state .state-running")).to_be_visible()
