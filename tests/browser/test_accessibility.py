"""What axe finds: in the light and the dark, on a phone, with and without JavaScript."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Page

from containers.models import Container, Operation, Snapshot, Template
from containers.node.states import Progress, State
from tests.browser.conftest import Open
from tests.browser.server import CHECKOUT, DESKTOP, PHONE, Panel
from tests.browser.test_operations import say

AXE = CHECKOUT / "node_modules/axe-core/axe.min.js"
UUID = "11111111-2222-3333-4444-555555555555"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESKTOP, "color_scheme": "light"},
    "dark phone": {"viewport": PHONE, "color_scheme": "dark"},
    "dark, no JavaScript": {"viewport": DESKTOP, "color_scheme": "dark"},
}
OF_LOOKS = ["color-contrast", "scrollable-region-focusable", "target-size", "link-in-text-block"]
FOUND = """async (rules) => {
    const options = rules ? {runOnly: {type: "rule", values: rules}} : {};
    const {violations} = await axe.run(document, {...options, resultTypes: ["violations"]});
    const said = (node) => `${node.target} ${[...node.any, ...node.all][0]?.message ?? ""}`;
    return violations.map(({id, nodes}) => `${id}: ${nodes.map(said).join("; ")}`);
}"""


@pytest.fixture
def place(ct101: Container, alice: User, debian: Template) -> list[str]:
    """Addresses of all pages that alice can look at, with something on each."""
    made = Snapshot.objects.create(
        container=ct101, uuid=UUID, name="before", manifest="ab" * 32, with_processes=True
    )
    Container.objects.update(
        here=made, state=State.RUNNING, ram=512, diskspace=1024, usage_at=now(),
        usage={"memory": {"used": 512 << 20, "limit": 512 << 20}, "oom_kills": 3},
    )  # fmt: skip
    for name in ("start", "mount"):
        script = ct101.scripts.create(name=name)
        for text in (b"#!/bin/sh\necho one\n", b"#!/bin/sh\necho two\n"):
            version = script.write(text, by=alice)
    failed = ct101.request("restart", by=alice)
    for number, state in enumerate(("done", "failed", "skipped", "undone")):
        failed.steps.create(
            number=number, key="own-start", label="run its start script", where="container",
            state=state, version=2, sha256=version.sha256, code=number, undo=state == "undone",
        )  # fmt: skip
    say(failed, b"\x1b[1;34m==>\x1b[0m \x1b[31merror\x1b[0m\n" * 100)
    failed.refresh_from_db()
    failed.end(Progress.FAILED, code=79, problem="cancelled-early")
    running = ct101.request("exec", by=alice, params={"command": ["/bin/sh", "-c", "uptime"]})
    Operation.objects.filter(pk=running.pk).update(state="running", started=now())
    here, of_snapshot = "/containers/101", f"/containers/101/snapshots/{UUID}"
    return [
        "/containers/", "/containers/?q=nothing", "/containers/new/", f"{here}/",
        f"{here}/settings/", f"{here}/password/", f"{here}/operations/",
        f"{here}/operations/new/stop/", f"{here}/operations/new/destroy/",
        f"{here}/operations/new/exec/", f"{here}/reinstallation/", f"{here}/scripts/start/",
        f"{here}/scripts/mount/versions/", f"{here}/snapshots/", f"{here}/snapshots/schedule/",
        f"{of_snapshot}/", f"{of_snapshot}/restoration/", f"{of_snapshot}/deletion/",
        f"{of_snapshot}/clone/", f"{of_snapshot}/template/",
        "/operations/", failed.get_absolute_url(), running.get_absolute_url(),
        f"/operations/{failed.pk}/log/text?q=error", "/scripts/", "/scripts/alpha/mount/",
        "/templates/", "/nodes/", "/nodes/alpha/", "/people/", "/people/new/",
        f"/people/{alice.pk}/", "/audit/", "/account/", "/account/second-factor/",
        "/account/passkeys/", "/nowhere/",
    ]  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(
    look: str, place: list[str], alice: User, page_of: Open, panel: Panel
) -> None:
    page = page_of(alice, "/account/", **LOOKS[look])
    rules = None if look == "light" else OF_LOOKS
    if look == "dark, no JavaScript":  # none of ours: axe itself is some
        page.route("**/*.js", lambda route: route.abort())
        dark = {"name": "theme", "value": "dark", "url": panel.url}
        page.context.add_cookies([dark])  # type: ignore[list-item]
    found = {path: said for path in place if (said := complained(page, path, rules))}
    assert not found


def test_axe_finds_nothing_before_one_has_signed_in(page_of: Open) -> None:
    assert not complained(page_of(None, "/login/"), "/login/")


def complained(page: Page, path: str, rules: list[str] | None = None) -> list[str]:
    page.goto(path)
    page.evaluate(AXE.read_text())
    return list(page.evaluate(FOUND, rules))
