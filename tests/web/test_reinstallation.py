"""A customer sets their container up afresh: what is asked, promised, refused, and queued."""

import copy
import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from containers.models import (
    AuditEvent,
    Container,
    Inquiry,
    Node,
    Operation,
    ReplacedSystem,
    Template,
)
from containers.node.errors import BadTrees, OperationError, Problem, ScriptFailed
from containers.node.states import Progress, State

URL = "/containers/101/reinstallation/"
MIB = 1 << 20
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFMhGmW1qIFs0uZZQb0kZbZb5Yc1h4h0m4yJfZ0Y8cXk bob@home"
FOUND = {
    "old": {"bytes": 300 * MIB, "files": 12345},
    "new": 200 * MIB,
    "limited": True,
    "shared": True,
    "pool": {"size": 9000 * MIB, "free": 5000 * MIB, "inodes_free": None, "reserve": 900 * MIB},
    "kept": {"bytes": 400 * MIB, "allowed": 4000 * MIB},
    "locked": "",
    "template": "",
    "credentials": "",
    "users": ["root", "dora"],
    "hooks": {"reinstall": "", "configure": ""},
    "scripts": {"start": False, "stop": False},
    "shell": True,
    "running": True,
    "snapshots": 2,
}


def text(answer: Any) -> str:
    """What a reader sees, in single blanks."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(words).split())


@pytest.fixture
def debian(alpha: Node) -> Template:
    return Template.objects.create(
        node=alpha,
        name="debian-12",
        version=3,
        init="systemd",
        created="2026-01-02T03:04:05Z",
        offered=True,
    )


@pytest.fixture
def ct101(ct101: Container) -> Container:
    Container.objects.update(state=State.RUNNING, diskspace=1024, ram=512)
    ct101.address_set.create(address="203.0.113.7")
    ct101.refresh_from_db()
    return ct101


def choose(
    client: Client, template: Template, access: str = "keep", keep: str = "old", **more: str
) -> Any:
    """The first two steps; the answer to the second."""
    client.post(URL, {"step": "system", "template": template.pk})
    return client.post(URL, {"step": "access", "access": access, "keep": keep, **more})


def node_says(**differently: Any) -> None:
    """What the node found out; a dotted key goes into a table: pool__free=0."""
    answer: dict[str, Any] = copy.deepcopy(FOUND)
    for key, value in differently.items():
        table, _, inner = key.rpartition("__")
        (answer[table] if table else answer)[inner or key] = value
    Inquiry.objects.filter(answered=None).update(answer=answer, answered=now())


def confirm(client: Client, name: str = "web1") -> Any:
    return client.post(URL, {"step": "confirm", "confirmation": name})


def review(client: Client) -> str:
    return text(client.get(URL, {"step": "review"}))


def asked() -> dict[str, Any]:
    params: dict[str, Any] = Operation.objects.get(kind="reinstall").params
    return params


# What is queued


def test_three_steps_and_the_host_name_lead_to_an_operation(
    ct101: Container, debian: Template, as_bob: Client, bob: User
) -> None:
    assert choose(as_bob, debian).headers["Location"].endswith("?step=review")
    node_says()
    answer = confirm(as_bob)
    operation = Operation.objects.get()
    assert answer.headers["Location"] == operation.get_absolute_url()
    assert (operation.kind, operation.by) == ("reinstall", bob)
    until = operation.params.pop("keep_until")
    assert until[:10] == f"{now() + timedelta(days=7):%Y-%m-%d}"
    assert operation.params == {"template": "debian-12@3", "start": True}


def test_the_kept_window_is_a_setting_and_none_of_it_is_possible(
    ct101: Container, debian: Template, as_bob: Client, settings: Settings
) -> None:
    settings.UNDO_DAYS = 0
    choose(as_bob, debian)
    node_says()
    assert "undo" not in review(as_bob)
    confirm(as_bob)
    assert "keep_until" not in asked()


def test_erasing_keeps_nothing(ct101: Container, debian: Template, as_bob: Client) -> None:
    choose(as_bob, debian, "keys", "nothing", sshkeys=KEY)
    node_says()
    assert "This cannot be undone." in review(as_bob)
    confirm(as_bob)
    assert asked() == {
        "template": "debian-12@3", "start": True, "skipbackup": True, "resetpwdb": True,
        "sshkeys": [KEY],
    }  # fmt: skip
    assert AuditEvent.objects.get().what == "erase and reinstall CT 101"


def test_erasing_carries_no_users_over(ct101: Container, debian: Template, as_bob: Client) -> None:
    answer = choose(as_bob, debian, "keep", "nothing")
    assert answer.status_code == 422
    assert "Erasing also removes users" in text(answer)


@pytest.mark.parametrize("name", ["web1", "WEB1", " Web1 ", "web1."])
def test_the_host_name_is_typed_in_any_case(
    name: str, ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says()
    assert confirm(as_bob, name).status_code == 302


@pytest.mark.parametrize("name", ["", "web2", "101", "web1.example"])
def test_without_the_host_name_nothing_happens(
    name: str, ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says()
    answer = confirm(as_bob, name)
    assert answer.status_code == 422
    assert not Operation.objects.exists()


# Signing in afterwards


def test_of_a_typed_password_only_the_hash_is_kept(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian, "type", password="correct horse battery")
    node_says()
    shown = review(as_bob)
    confirm(as_bob)
    assert asked()["resetpwdb"] is True
    assert asked()["userpasswd"]["hash"].startswith("$6$")
    kept = f"{shown}{dict(as_bob.session)}{asked()}{[c.value for c in as_bob.cookies.values()]}"
    assert "correct horse" not in kept


def password_on(answer: Any) -> str:
    found = re.search(r'id="secret">([^<]+)<', answer.content.decode())
    return found[1] if found else ""


def test_a_generated_password_is_shown_once_also_when_the_answer_was_lost(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian, "generate")
    node_says()
    before = {key: morsel.value for key, morsel in as_bob.cookies.items()}
    confirm(as_bob)
    for key, value in before.items():  # as it is when the first answer never came
        as_bob.cookies[key] = value
    again = confirm(as_bob)
    assert Operation.objects.count() == 1
    page = as_bob.get(again.headers["Location"])
    password = password_on(page)
    assert len(password) == 16
    assert password not in f"{dict(as_bob.session)}{asked()}"
    assert not password_on(as_bob.get(again.headers["Location"]))


def test_a_generated_password_that_can_be_shown_no_more_is_made_anew(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian, "generate")
    node_says()
    first = as_bob.session["reinstallations"]["101"]["userpasswd"]["hash"]
    del as_bob.cookies["once"]
    answer = confirm(as_bob)
    assert asked()["userpasswd"]["hash"] != first
    assert password_on(as_bob.get(answer.headers["Location"]))


def test_nobody_locks_themselves_out(ct101: Container, debian: Template, as_bob: Client) -> None:
    answer = choose(as_bob, debian, "keys", sshkeys="")
    assert answer.status_code == 422
    assert "nobody could sign in" in text(answer)
    assert choose(as_bob, debian, "keys", sshkeys="nonsense").status_code == 422
    assert choose(as_bob, debian, "keys", sshkeys=KEY).status_code == 302


# Who may what


def test_what_is_not_offered_cannot_be_chosen(
    ct101: Container, debian: Template, busybox: Template, as_bob: Client, as_alice: Client
) -> None:
    Template.objects.filter(pk=debian.pk).update(offered=False)
    assert "debian-12" not in text(as_bob.get(URL))
    assert as_bob.post(URL, {"step": "system", "template": debian.pk}).status_code == 422
    assert as_alice.post(URL, {"step": "system", "template": debian.pk}).status_code == 302


def test_a_system_withdrawn_before_the_confirmation_is_not_installed(
    ct101: Container, debian: Template, busybox: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says()
    Template.objects.filter(pk=debian.pk).update(removed=True)
    answer = as_bob.post(URL, {"step": "confirm", "confirmation": "web1"}, follow=True)
    assert "no longer offered" in text(answer)
    assert not Operation.objects.exists()


def test_favourites_come_first_and_the_present_one_is_marked(
    ct101: Container, debian: Template, busybox: Template, as_bob: Client
) -> None:
    shown = text(as_bob.get(URL))
    assert shown.index("debian-12") < shown.index("busybox")
    assert "busybox present system" in shown


def test_a_customer_may_not_reinstall_where_the_panel_says_so(
    ct101: Container, debian: Template, as_bob: Client, as_alice: Client, settings: Settings
) -> None:
    settings.CUSTOMERS_MAY = frozenset()
    assert as_bob.get(URL).status_code == 403
    assert "Reinstall" not in text(as_bob.get("/containers/101/"))
    assert as_alice.get(URL).status_code == 200


def test_erasing_can_be_forbidden_also_half_way(
    ct101: Container, debian: Template, as_bob: Client, settings: Settings
) -> None:
    choose(as_bob, debian, "keys", "nothing", sshkeys=KEY)
    node_says()
    settings.CUSTOMERS_MAY = frozenset({"reinstall"})
    assert confirm(as_bob).headers["Location"].endswith("?step=access")
    assert "Erase" not in text(as_bob.get(URL, {"step": "access"}))
    assert choose(as_bob, debian, "keys", "nothing", sshkeys=KEY).status_code == 422
    assert not Operation.objects.exists()


def test_somebody_elses_container_is_not_there(
    ct101: Container, debian: Template, as_carol: Client
) -> None:
    assert as_carol.get(URL).status_code == 404
    for step in ("system", "access", "change", "confirm"):
        assert as_carol.post(URL, {"step": step, "template": debian.pk}).status_code == 404


def test_what_is_said_on_the_node_is_shown_to_customers_only_if_the_panel_says_so(
    ct101: Container, as_bob: Client, bob: User, settings: Settings
) -> None:
    operation = ct101.request("reinstall", by=bob)
    operation.chunks.create(offset=0, data=b"from the hook\n", staff_only=True)
    Operation.objects.update(log_len=14)
    page = operation.get_absolute_url()
    assert "from the hook" not in text(as_bob.get(page))
    settings.SHOW_HOST_OUTPUT = True
    assert "from the hook" in text(as_bob.get(page))


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("vps-reinstall", "Run it the old system stays as it is"),
        ("vps-configure", "Run it in the container the old system is put back"),
    ],
)
def test_of_a_hook_that_failed_a_customer_reads_the_step_its_result_and_a_sentence(
    hook: str, said: str, ct101: Container, as_bob: Client, bob: User
) -> None:
    operation = failed(ct101, hook, bob)
    where = "container" if hook == "vps-configure" else "node"
    operation.steps.update(code=3, label="run it", where=where)
    assert said in text(as_bob.get(operation.get_absolute_url()))


# The ledger and the look beforehand


def test_kept_and_lost_are_of_this_very_container(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    ct101.scripts.create(name="mount")
    choose(as_bob, debian)
    node_says()
    kept, _, lost = review(as_bob).partition("Lost")
    for word in ("203.0.113.7", "memory 512 MiB", "bob", "Its 1 script", "2 snapshots",
                 "root, dora", "12 345 files", "in /old", "one button puts it back"):  # fmt: skip
        assert word in kept
    assert "Running programs" in lost
    assert "Users and passwords" not in lost.partition("Checks")[0]


def test_a_third_replaced_system_is_said_to_go_unless_all_of_the_old_goes(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    for number, day in ((1, 1), (2, 8), (3, 15)):
        since = datetime(2026, 11, day, 12, tzinfo=UTC)
        ct101.replaced_systems.create(number=number, since=since, until=since + timedelta(days=30))
    choose(as_bob, debian)
    node_says()
    lost = review(as_bob).partition("Lost")[2].partition("Checks")[0]
    for day, goes in ((1, True), (8, True), (15, False)):
        assert (f"The system before the reinstallation of {day} November 2026" in lost) is goes
    choose(as_bob, debian, "keys", "nothing", sshkeys=KEY)
    node_says()
    assert "before the reinstallation of" not in review(as_bob).partition("Checks")[0]


def test_a_reinstallation_that_keeps_nothing_is_begun_on_a_full_disk(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian, "keys", "nothing", sshkeys=KEY)
    node_says(pool__free=600 * MIB, kept={"bytes": 500 * MIB, "allowed": 400 * MIB})
    review(as_bob)
    assert confirm(as_bob).status_code == 302
    assert asked()["skipbackup"] is True


def test_without_users_and_files_they_are_among_the_lost(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian, "keys", "nothing", sshkeys=KEY)
    node_says(running=False)
    Container.objects.update(state=State.STOPPED)
    lost = review(as_bob).partition("Lost")[2].partition("Checks")[0]
    assert "All files" in lost
    assert "root, dora" in lost
    assert "Running programs" not in lost


def test_old_files_that_do_not_fit_can_be_kept_aside_instead(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says(old={"bytes": 900 * MIB, "files": 5})
    shown = review(as_bob)
    assert "don't both fit" in shown
    assert "Keep the old files until" in shown
    assert confirm(as_bob).status_code == 409
    assert not Operation.objects.exists()
    as_bob.post(URL, {"step": "change", "keep": "aside"})
    assert confirm(as_bob).status_code == 302
    assert asked()["skipbackup"] is True
    assert asked()["keep_until"]


@pytest.mark.parametrize(
    ("found", "says", "offers"),
    [
        ({"template": "there is no template"}, "is no longer on the node", ""),
        ({"locked": "pid 7 (backup)"}, "Somebody is working on the container", ""),
        ({"pool__free": 1}, "only 1\xa0byte of disk left", ""),
        ({"pool__free": 600 * MIB}, "new things leave 900.0\xa0MiB of it free", ""),
        (
            {"kept": {"bytes": 500 * MIB, "allowed": 400 * MIB}},
            "would count 500.0\xa0MiB of 400.0\xa0MiB that they may have",
            "",
        ),
        ({"credentials": "/etc/passwd is a link"}, "/etc/passwd is a link", "Let only root"),
        (
            {"shell": False, "scripts": {"stop": True, "start": False}},
            "no longer has a shell",
            "Stop it wi",
        ),
    ],
)
def test_what_would_fail_is_not_begun(
    found: dict[str, Any], says: str, offers: str,
    ct101: Container, debian: Template, as_bob: Client,
) -> None:  # fmt: skip
    choose(as_bob, debian)
    node_says(**found)
    shown = review(as_bob)
    assert " ".join(says.split()) in shown
    assert offers in shown
    assert confirm(as_bob).status_code == 409
    assert not Operation.objects.exists()


def test_a_stop_script_that_cannot_run_is_passed_over_on_demand(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says(shell=False, scripts={"stop": True, "start": False})
    as_bob.post(URL, {"step": "change", "without_stop_script": "1"})
    confirm(as_bob)
    assert asked()["without_stop_script"] is True


def test_policy_may_forbid_to_pass_over_the_stop_script(
    ct101: Container, debian: Template, as_bob: Client, settings: Settings
) -> None:
    settings.CUSTOMERS_MAY = frozenset({"reinstall"})
    choose(as_bob, debian)
    node_says(shell=False, scripts={"stop": True, "start": False})
    assert "Stop it without" not in review(as_bob)
    change = {"step": "change", "without_stop_script": "1"}
    assert as_bob.post(URL, change).status_code == 403


def test_a_node_that_answers_is_waited_for_and_one_that_is_away_is_not(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    Node.objects.update(heartbeat=now())
    assert "Checking the container" in review(as_bob)
    assert confirm(as_bob).status_code == 409
    Node.objects.update(heartbeat=None)
    assert "has not answered" in review(as_bob)
    assert confirm(as_bob).status_code == 302


def test_two_at_once_are_refused_naming_the_first(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    choose(as_bob, debian)
    node_says()
    first = ct101.request("reinstall")
    answer = confirm(as_bob)
    assert answer.status_code == 409
    assert f"Operation {first.pk}" in text(answer)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("state", [State.SUSPENDED, State.BROKEN, State.PAUSED, State.CREATING])
def test_some_states_forbid_it_and_the_page_says_why(
    state: State, ct101: Container, debian: Template, as_bob: Client
) -> None:
    Container.objects.update(state=state)
    assert "be done now." in text(as_bob.get(URL))
    choose(as_bob, debian)
    node_says()
    assert confirm(as_bob).status_code == 409


def test_a_reload_shows_the_same_and_a_step_too_far_leads_back(
    ct101: Container, debian: Template, as_bob: Client
) -> None:
    assert as_bob.get(URL, {"step": "review"}).headers["Location"].endswith("?step=system")
    choose(as_bob, debian, "keys", sshkeys=KEY)
    node_says()
    assert "and 1 SSH key" in review(as_bob)
    assert "and 1 SSH key" in review(as_bob)
    assert KEY in as_bob.get(URL, {"step": "access"}).content.decode()


# When it failed, and when it did not

FAILURES = {
    "own-stop": ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="stop", exit=3),
    "own-start": ScriptFailed(Problem.TIME_LIMIT, scope="own", action="start", seconds=600),
    "room": OperationError(Problem.NO_ROOM, old=3, new=2, limit=4),
    "keep-old": OperationError(Problem.OLD_NOT_COPIED),
    "begin-new": OperationError(BadTrees.MISSING, path="/etc/passwd"),
    "vps-reinstall": ScriptFailed(
        Problem.SCRIPT_FAILED, scope="global", action="reinstall", exit=3
    ),
    "vps-configure": ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="configure", exit=3),
}


def failed(container: Container, step: str, by: User, **params: Any) -> Operation:
    operation = container.request(
        "reinstall", by=by, params={"template": "debian-12@3", "start": True, **params}
    )
    operation.steps.create(number=0, key=step, label="…", state="failed", began=now())
    failure = FAILURES.get(step) or OperationError(Problem.COMMAND_FAILED, command="cp", exit=1)
    operation.end(Progress.FAILED, code=94, **failure.record)
    return operation


@pytest.mark.parametrize(
    ("step", "word", "param"),
    [
        ("own-stop", "Stop it without its stop script", "without_stop_script"),
        ("own-start", "Reinstall without its start and stop scripts", "without_own_scripts"),
        ("room", "Keep the old files until", "skipbackup"),
        ("keep-old", "Keep the old files until", "skipbackup"),
    ],
)
def test_a_dead_end_offers_its_way_out_with_the_same_choices(
    step: str, word: str, param: str,
    ct101: Container, debian: Template, as_bob: Client, bob: User,
) -> None:  # fmt: skip
    operation = failed(ct101, step, bob)
    page = as_bob.get(operation.get_absolute_url())
    assert "Nothing is lost" in text(page)
    assert word in text(page)
    form = next(f for f in page.content.decode().split("<form") if word in html.unescape(f))
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    del fields["csrfmiddlewaretoken"]
    answer = as_bob.post(URL, fields)
    assert answer.headers["Location"].endswith("?step=review")
    as_bob.get(answer.headers["Location"])  # asks the node
    node_says()
    confirm(as_bob)
    again = Operation.objects.first()
    assert again
    assert again.params["template"] == "debian-12@3"
    assert again.params[param] is True


def test_where_the_users_cannot_be_read_only_root_may_sign_in(
    ct101: Container, debian: Template, as_bob: Client, bob: User
) -> None:
    page = as_bob.get(failed(ct101, "begin-new", bob).get_absolute_url())
    assert "Let only root sign in" in text(page)


def test_a_password_has_to_be_given_once_more(
    ct101: Container, debian: Template, as_bob: Client, bob: User
) -> None:
    operation = failed(ct101, "own-start", bob, resetpwdb=True, userpasswd={"hash": "x"})
    answer = as_bob.post(URL, {"step": "change", "operation": operation.pk})
    assert answer.headers["Location"].endswith("?step=access")


def test_what_others_did_is_no_draft(
    ct101: Container, debian: Template, as_bob: Client, alice: User, alpha: Node
) -> None:
    other = Container.objects.create(ctid=102, node=alpha, hostname="other")
    operation = failed(other, "own-stop", alice)
    answer = as_bob.post(URL, {"step": "change", "operation": operation.pk})
    assert answer.headers["Location"].endswith("?step=system")
    assert as_bob.post(URL, {"step": "change", "operation": "1'"}).status_code == 302


def test_the_result_is_a_page_to_keep(ct101: Container, as_bob: Client, bob: User) -> None:
    until = now() + timedelta(days=7)
    Container.objects.update(facts={"host_keys": [["ed25519", "SHA256:abc"]]})
    operation = ct101.request("reinstall", by=bob, params={"keep_until": until.isoformat()})
    ct101.replaced_systems.create(
        number=operation.pk, since=now(), until=until, size=5 * MIB, own=MIB
    )
    operation.end(Progress.SUCCEEDED, code=0)
    shown = text(as_bob.get(operation.get_absolute_url()))
    for word in ("203.0.113.7", "SHA256:abc", "ssh-keygen -R 203.0.113.7", "in /old", "1.0"):
        assert word in shown
    assert f"until {until:%-d %b %Y}" in shown


# Putting it back


def test_what_was_kept_is_put_back_and_the_present_one_kept(
    ct101: Container, as_bob: Client
) -> None:
    until = now() + timedelta(days=3)
    kept = ct101.replaced_systems.create(number=5, since=now(), until=until, template="busybox@1")
    assert "Put it back" in text(as_bob.get("/containers/101/"))
    assert "The present system is kept until" in text(as_bob.get(kept.get_absolute_url()))
    as_bob.post(kept.get_absolute_url())
    operation = Operation.objects.get()
    assert (operation.kind, operation.params["replaced"]) == ("undo_reinstall", 5)
    assert operation.params["keep_until"] > until.isoformat()


def test_the_stop_script_can_be_passed_over_unless_policy_forbids_it(
    ct101: Container, as_bob: Client, settings: Settings
) -> None:
    kept = ct101.replaced_systems.create(number=5, since=now(), until=now())
    without = {"without_stop_script": "1"}
    page = kept.get_absolute_url()
    assert "without its stop script" not in text(as_bob.get(page))
    ct101.scripts.create(name="stop")
    assert "without its stop script" in text(as_bob.get(page))
    settings.CUSTOMERS_MAY = frozenset({"reinstall"})
    assert as_bob.post(page, without).status_code == 403
    assert not Operation.objects.exists()
    settings.CUSTOMERS_MAY = frozenset({"reinstall", "skip_stop_script"})
    as_bob.post(page, without)
    assert Operation.objects.get().params["without_stop_script"] is True


def test_somebody_elses_replaced_system_is_not_there(ct101: Container, as_carol: Client) -> None:
    kept = ct101.replaced_systems.create(number=5, since=now(), until=now())
    assert as_carol.post(kept.get_absolute_url()).status_code == 404
    assert not Operation.objects.exists()


def test_staff_is_warned_when_a_node_with_replaced_systems_runs_full(
    ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    ReplacedSystem.objects.create(container=ct101, number=5, since=now(), until=now(), size=9)
    pages = ("/containers/", "/nodes/", "/nodes/alpha/")
    Node.objects.update(facts={"disk": {"size": 1000, "free": 500}})
    assert all("of its disk left" not in text(as_alice.get(page)) for page in pages)
    Node.objects.update(facts={"disk": {"size": 1000, "free": 50}})
    assert all("has only 5 % of its disk left" in text(as_alice.get(page)) for page in pages)
    assert "of its disk left" not in text(as_bob.get("/containers/"))


@pytest.mark.parametrize(
    ("own", "of_one", "of_all"),
    [
        (2 * MIB, "takes 2.0 MiB of the disk", "which takes 2.0 MiB of the disk"),
        (None, "takes up to 9.0 MiB", "which takes up to 9.0 MiB"),
    ],
)
def test_of_what_is_kept_it_is_told_what_it_shares(
    own: int | None, of_one: str, of_all: str, ct101: Container, as_alice: Client
) -> None:
    Node.objects.update(facts={"disk": {"size": 1000, "free": 50}})
    ct101.replaced_systems.create(number=5, since=now(), until=now(), size=9 * MIB, own=own)
    assert of_one in text(as_alice.get("/containers/101/"))
    assert of_one in text(as_alice.get("/containers/101/replaced/5/"))
    assert of_all in text(as_alice.get("/nodes/alpha/"))
