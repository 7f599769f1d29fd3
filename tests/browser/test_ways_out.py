"""Ways out of a failure on the page of its container, for staff and for customers."""

from django.contrib.auth.models import User
from playwright.sync_api import expect

from containers.models import Container
from containers.node.errors import Problem, ScriptFailed
from containers.node.states import Progress, State
from tests.browser.conftest import Open


def test_the_ways_out_of_a_failed_stop_stand_until_it_is_dismissed(
    page_of: Open, alice: User, bob: User, ct101: Container
) -> None:
    failure = ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="stop", exit=1)
    stop = ct101.request("stop", by=bob)
    stop.end(Progress.FAILED, code=79, **failure.record, state=State.RUNNING)
    ct101.request("exec").end(Progress.SUCCEEDED, code=0, state=State.RUNNING)
    of_bob = page_of(bob, "/containers/101/", viewport={"width": 360, "height": 740})
    box = of_bob.locator(f"#failed-{stop.pk}")
    expect(box).to_contain_text("Its stop script failed.")
    expect(box).to_contain_text("only they can change it, or stop the container without it")
    expect(box.get_by_role("link", name="support@hosting.example")).to_be_visible()
    page = page_of(alice, "/containers/101/")
    page.get_by_role("link", name="Stop without its stop script").click()
    expect(page.get_by_label("Stop it without its stop script")).to_be_checked()
    page.go_back()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("web1")
    expect(page.locator(".notice-error")).to_have_count(0)
