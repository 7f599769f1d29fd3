"""pctl on rows, with the dry-run runtime: what it asks of the node, prints and ends in."""

import json
import os
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from pytest_django import Settings

from containers.models import Address, AuditEvent, Container, Node, Operation, Snapshot, Template
from containers.node.conf import NodeConf
from containers.node.states import Progress, State
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    return alpha


def state(container: Container, word: State) -> None:
    Container.objects.filter(pk=container.pk).update(state=word)


def test_create_makes_row_and_operation_and_follows_it(
    run: Typist, alpha: Node, busybox: Template, bob: User
) -> None:
    Node.objects.filter(pk=alpha.pk).update(pool="10.9.0.0/24")
    code, out, err = run(
        "create 101 --ostemplate busybox --hostname web1 --owner bob --ram 512M "
        "--cpulimit 150 --diskspace 10G --numproc 300 --name shop --onboot yes "
        "--description 'a \"good\" one' --userpasswd 'root:s3cret word' --config x"
    )
    assert code == 0
    assert "==> copy the template" in out
    assert "Create of CT 101: done." in err
    assert "--config is ignored" in err
    ct = Container.objects.get(ctid=101)
    assert (ct.hostname, ct.name, ct.ram, ct.pids) == ("web1", "shop", 512, 300)
    assert (f"{ct.cpus}", ct.diskspace, ct.onboot, ct.owner) == ("1.50", 10240, True, bob)
    assert ct.description == 'a "good" one'
    assert f"{ct.template}" == "busybox@1"
    assert ct.addresses == ["10.9.0.101"]
    assert ct.address_set.get().pooled
    operation = Operation.objects.get()
    assert (operation.kind, operation.via, operation.state) == ("create", "pctl", "succeeded")
    assert "s3cret" not in f"{operation.params}"


def test_a_new_containers_default_template_is_vz_confs(
    run: Typist, node_conf: NodeConf, busybox: Template
) -> None:
    assert run("create 101")[0] == 29
    node_conf.etc.mkdir(parents=True)
    node_conf.vz_conf.write_text('DEF_OSTEMPLATE="busybox"\n')
    assert run("create 101")[0] == 0


def test_a_new_containers_limits_are_vz_confs_and_none_has_to_be_typed(
    run: Typist, node_conf: NodeConf, busybox: Template
) -> None:
    node_conf.etc.mkdir(parents=True)
    node_conf.vz_conf.write_text('PHYSPAGES="0:65536"\nNUMPROC="200:200"\nCPULIMIT="50"\n')
    assert run("create 101 --ostemplate busybox --diskspace unlimited --numproc 80")[0] == 0
    ct = Container.objects.get(ctid=101)
    assert (ct.ram, ct.pids, f"{ct.cpus}", ct.cpuunits) == (256, 80, "0.50", 1000)
    assert ct.diskspace is None


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("create 101 --ostemplate busybox", 44, "CT 101 exists already"),
        ("create 102 --ostemplate nosuch", 91, "no template nosuch"),
        ("create 102 --ostemplate busybox@9", 91, "no template busybox@9"),
        ("create 99 --ostemplate busybox", 21, "The CT ID 99 can't be used"),
        ("create web --ostemplate busybox", 21, "bad CT ID web"),
        ("create 102 --ostemplate busybox --ipadd 10.1.2.3", 78, "CT 101 (web1)"),
        ("create 102 --ostemplate busybox --ipadd 127.0.0.1", 21, "loopback"),
        ("create 102 --ostemplate busybox --owner nobody", 21, "no user nobody"),
        ("create 102 --ostemplate busybox --name a/b", 21, "a/b"),
        ("create 102 --ostemplate busybox --name 103", 131, "taken for a CT ID"),
        ("create 102 --ostemplate busybox --hostname a_b..c", 21, "not a host name"),
        ("start 102", 14, "no CT 102"),
        ("start nosuch", 21, "ad CT ID nosuch"),
        ("start -- -5", 21, "ad CT ID -5"),
        ("set 0 --hostname x", 21, "the node itself"),
        ("status nosuch", 21, "ad CT ID nosuch"),
        ("umount 101", 40, "not mounted"),
        ("exec 101 ls", 8, "not running"),
        ("exec2 101 ls", 31, "not running"),
        ("enter 101", 31, "not running"),
        ("stop 101 --without-stop-script", 20, "needs --reason"),
        ("set 101 --ipdel 10.9.9.9", 21, "does not have the address 10.9.9.9"),
        ("operation show 99", 21, "no operation 99"),
        ("node show beta", 21, "no node beta"),
        ("user password nobody", 21, "no user nobody"),
    ],
)
def test_refusals_have_vzctls_code_and_leave_the_rows_alone(
    run: Typist, ct101: Container, words: str, code: int, says: str
) -> None:
    Address.objects.create(container=ct101, address="10.1.2.3")
    found = run(words)
    assert found[0] == code
    assert says.lower() in found[2].lower()
    assert Container.objects.count() == 1
    assert ct101.addresses == ["10.1.2.3"]
    assert not Operation.objects.filter(kind__in=["create", "set"]).exists()


def test_starting_and_stopping_follow_the_container(run: Typist, ct101: Container) -> None:
    assert run("start 101")[0] == 0
    assert run("status 101")[1] == "CTID 101 exist mounted running\n"
    code, _, err = run("start 101")
    assert code == 32
    assert "already running" in err
    assert run("stop 101 --fast")[0] == 0
    assert Operation.objects.all()[0].params == {"fast": True}
    code, out, err = run("stop 101")
    assert code == 0
    assert "not running" in out


def test_a_disabled_container_starts_only_by_force(run: Typist, ct101: Container) -> None:
    assert run("set 101 --disabled yes --save")[0] == 0
    assert Container.objects.get().disabled
    assert run("start 101 --force")[0] == 0
    assert Operation.objects.all()[0].params == {"force": True}


def test_set_changes_the_row_and_tells_the_node_what(
    run: Typist, ct101: Container, bob: User, carol: User
) -> None:
    Address.objects.create(container=ct101, address="10.1.2.3")
    code, _, err = run(
        "set 101 --hostname db1 --ipdel all --ipadd 10.1.2.4 --ipadd fd00::5 --owner carol "
        "--nameserver 9.9.9.9 --searchdomain example.org --ram unlimited --pids 99"
    )
    *warnings, end = err.splitlines()
    assert (code, end) == (0, "Change settings of CT 101: done.")
    assert [line.split(" is ")[0] for line in warnings] == [
        "Warning: The address 10.1.2.4", "Warning: The address fd00::5",
    ]  # fmt: skip
    ct101.refresh_from_db()
    assert ct101.addresses == ["10.1.2.4", "fd00::5"]
    assert (ct101.hostname, ct101.owner, ct101.ram, ct101.pids) == ("db1", carol, None, 99)
    assert (ct101.nameservers, ct101.searchdomains) == (["9.9.9.9"], ["example.org"])
    assert {"hostname", "addresses", "owner"} <= set(Operation.objects.get().params["changed"])


def test_an_owner_is_set_at_once_and_on_record(run: Typist, ct101: Container, carol: User) -> None:
    ct101.request("stop")  # the node has no part in it
    assert run("set 101 --owner carol") == (0, "", "Change settings of CT 101: done.\n")
    ct101.refresh_from_db()
    assert ct101.owner == carol
    assert AuditEvent.objects.get().what == "change CT 101: owner"
    assert not Operation.objects.filter(kind="set").exists()


def test_set_with_nothing_to_change_asks_nothing_of_the_node(run: Typist, ct101: Container) -> None:
    assert run("set 101 --save --swap 1G")[0] == 0
    assert not Operation.objects.exists()


def test_a_busy_container_says_who_holds_it(run: Typist, ct101: Container) -> None:
    holder = ct101.request("stop")
    code, _, err = run("set 101 --hostname other")
    assert code == 9
    way = f"cancel it with pctl operation cancel {holder.pk}"
    assert f"CT 101 is busy: operation {holder.pk} (Stop) has been queued since " in err
    assert err.endswith(f"; {way}.\n")
    ct101.refresh_from_db()
    assert ct101.hostname == "web1"


def test_a_name_stands_for_a_ct_id(run: Typist, ct101: Container) -> None:
    assert run("set 101 --name 'my shop'")[0] == 0
    assert run("status 'my shop'")[1] == "CTID 101 exist unmounted down\n"
    assert run("set 'my shop' --name ''")[0] == 0
    assert run("status 'my shop'")[0] == 21


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (State.CREATING, "deleted unmounted down"),
        (State.STOPPED, "exist unmounted down"),
        (State.MOUNTED, "exist mounted down"),
        (State.RUNNING, "exist mounted running"),
        (State.SUSPENDED, "exist unmounted down suspended"),
        (State.BROKEN, "deleted unmounted down"),
    ],
)
def test_status_is_vzctls_line_and_always_0(
    run: Typist, ct101: Container, word: State, line: str
) -> None:
    state(ct101, word)
    assert run("status 101") == (0, f"CTID 101 {line}\n", "")


def test_status_of_a_suspended_one_that_was_left_mounted(run: Typist, ct101: Container) -> None:
    state(ct101, State.SUSPENDED)
    Container.objects.update(facts={"mounted": True})
    assert run("status 101")[1] == "CTID 101 exist mounted down suspended\n"


def test_status_of_what_is_not_there_is_deleted(run: Typist, node: Node) -> None:
    assert run("status 007") == (0, "CTID 7 deleted unmounted down\n", "")


def test_status_as_json_says_more(run: Typist, ct101: Container) -> None:
    said = json.loads(run("status 101 --json")[1])
    assert said["status_line"] == "CTID 101 exist unmounted down"
    assert (said["ctid"], said["owner"], said["operation"]) == (101, "bob", None)


def test_destroying_takes_the_row_away(run: Typist, ct101: Container) -> None:
    code, out, _ = run("destroy 101 --json")
    assert code == 0
    said = json.loads(out)
    assert (said["kind"], said["state"], said["ctid"]) == ("destroy", "succeeded", 101)
    assert not Container.objects.exists()
    assert run("status 101")[1] == "CTID 101 deleted unmounted down\n"


def test_list_is_vzlists_table(run: Typist, ct101: Container) -> None:
    Address.objects.create(container=ct101, address="10.1.2.3")
    assert run("list") == (1, "", "Container(s) not found\n")
    state(ct101, State.RUNNING)
    Container.objects.filter(pk=ct101.pk).update(usage={"pids": {"used": 4, "limit": None}})
    assert run("list")[1] == (
        "      CTID      NPROC STATUS    IP_ADDR         HOSTNAME\n"
        "       101          4 running   10.1.2.3        web1\n"
    )
    assert run("list -H -o hostname,ctid")[1].split() == ["web1", "101"]
    assert run("list -1")[1] == "       101\n"
    assert run("list -S")[0] == 1
    state(ct101, State.MOUNTED)
    assert "mounted" in run("list -S")[1]
    assert " - mounted" in run("list -a -n")[1]  # no processes
    code, _, err = run("list -a -o nosuch")
    assert code == 21
    assert err.startswith("There is no field nosuch, only: ctid, numproc, status, hostname, ")
    assert run("list -a -h db*")[0] == 1
    assert json.loads(run("list -a -j")[1])[0]["ip"] == ["10.1.2.3"]


def test_an_operation_can_be_read_back(run: Typist, ct101: Container) -> None:
    run("start 101")
    pk = Operation.objects.get().pk
    assert f"{pk} " in run("operation list")[1]
    assert "mount its file system" in run(f"operation show {pk}")[1]
    assert json.loads(run(f"operation show {pk} --json")[1])["steps"]
    assert "==> mount its file system" in run(f"operation log {pk}")[1]
    assert run(f"operation cancel {pk}")[0] == 21


def test_columns_that_reports_ask_for_are_there(run: Typist, ct101: Container) -> None:
    state(ct101, State.RUNNING)
    Container.objects.filter(pk=ct101.pk).update(
        usage={"load": [0.256, 1.5, 12]},
        state_since=now() - timedelta(days=1, hours=2, minutes=3, seconds=4),
    )
    assert run("list -o laverage,uptime,kmemsize,numproc.f,bootorder,vpsid -H 101")[1].split() == [
        "0.26/1.50/12.00", "001d02h:03m:04s", "-", "-", "-", "101"
    ]  # fmt: skip
    said = json.loads(run("list 101 -j")[1])[0]
    assert (said["laverage"], said["uptime"] // 10) == ([0.26, 1.5, 12.0], 9378)
    assert said["host_ifname"].startswith("v")
    assert "kmemsize" not in said
    state(ct101, State.STOPPED)
    assert run("list -a -H -o laverage,uptime")[1].split() == ["-", "-"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("compact 101", 0, "a container's files are in no disk image"),
        ("convert 101 --layout ploop", 20, "There is no pctl convert here: a container's files"),
        ("quotaoff 101", 20, "--diskspace unlimited takes the limit away."),
        ("snapshot-mount 101 --id x --target /mnt", 20, "osctl psc clone makes a container"),
        ("exec3 101 ls", 31, "not running"),
        ("runscript 101 /etc/hostname", 31, "not running"),
        ("runscript 101 /no/such/file", 21, "/no/such/file"),
        ("console 101", 31, "not running"),
        ("console 101 2", 21, "There is no tty 2"),
        ("snapshot-switch 101", 20, "The option --id is missing."),
        ("snapshot-delete 101 --id {1-2}", 21, "This is not a UUID: '{1-2}'."),
        ("snapshot-list 101 -o x", 21, "There is no field x, only: uuid, parent_uuid, current,"),
    ],
)
def test_words_of_vzctl_are_done_or_say_what_to_use(
    run: Typist, ct101: Container, words: str, code: int, says: str
) -> None:
    found, out, err = run(words)
    assert (found, says in out + err) == (code, True), out + err


def test_snapshots_in_vzctls_words(run: Typist, ct101: Container) -> None:
    one, two = "aaaa1111-2222-3333-4444-555555555555", "aaaa9999-2222-3333-4444-555555555555"
    assert run("snapshot-list 101")[:2] == (
        0, f"{'PARENT_UUID':<38} C {'UUID':<38} {'DATE':<19} NAME\n"
    )  # fmt: skip
    words = f"snapshot 101 --id {{{one}}} --name n --description why --skip-suspend --skip-config"
    _, _, err = run(words)
    assert "--skip-config is ignored" in err
    asked = Operation.objects.get().params
    assert {"snapshot": one, "name": "n", "note": "why", "disk_only": True}.items() <= asked.items()
    first = Snapshot.objects.create(container=ct101, uuid=one, name="n", manifest="ab" * 32)
    last = Snapshot.objects.create(
        container=ct101, uuid=two, manifest="ab" * 32, parent=first, with_processes=True
    )
    Container.objects.filter(pk=ct101.pk).update(here=last)
    assert run(words)[0] == 156
    rows = run("snapshot-list 101 -H")[1].splitlines()
    date = f"{first.created:%Y-%m-%d %H:%M:%S}"
    assert rows == [
        f"{'':<38}   {{{one}}} {date} n",
        f"{{{one}}} * {{{two}}} {last.created:%Y-%m-%d %H:%M:%S}",
    ]
    assert run(f"snapshot-list 101 -H -o name,desc --id {one}")[1].split() == ["n"]
    assert run(f"snapshot-switch 101 --id {one} --skip-resume --must-resume")[0] == 20
    run(f"snapshot-switch 101 --uuid {two}")
    asked = Operation.objects.latest("pk")
    assert (asked.kind, asked.params["snapshot"]) == ("restore", two)
    assert "disk_only" not in asked.params
    run(f"snapshot-delete 101 --id {one}")
    asked = Operation.objects.latest("pk")
    assert (asked.kind, asked.params["snapshot"]) == ("delete_snapshot", one)


def test_a_queued_operation_is_cancelled_at_once(run: Typist, ct101: Container) -> None:
    operation = ct101.request("start")
    assert run(f"operation cancel {operation.pk}")[0] == 0
    operation.refresh_from_db()
    assert operation.state == Progress.CANCELLED


def test_commands_in_a_container_run_with_its_shell_and_are_on_record(
    run: Typist, ct101: Container
) -> None:
    state(ct101, State.RUNNING)
    code, out, _ = run("exec2 101 ls -la /tmp")
    assert code == 0
    assert out.startswith("runc exec 101 /bin/sh -c ")  # the dry-run runtime
    assert out.endswith(" ls -la /tmp\n")
    assert AuditEvent.objects.get().what == "run in CT 101: ls -la /tmp"


def test_a_container_of_another_node_can_only_be_entered_there(
    run: Typist, ct101: Container
) -> None:
    beta = Node.objects.create(name="beta")
    Container.objects.filter(pk=ct101.pk).update(node=beta, state=State.RUNNING)
    code, _, err = run("exec 101 ls")
    assert code == 3
    assert "on the node beta" in err


def test_entering_needs_root(
    run: Typist, ct101: Container, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNTIME = "runc"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    state(ct101, State.RUNNING)
    code, _, err = run("enter 101")
    assert code == 12
    assert err.endswith("You have no access to the inside of CT 101: run pctl as root.\n")
    assert not AuditEvent.objects.exists()


def test_a_database_that_cannot_be_written_needs_root(
    run: Typist, ct101: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert run("list")[0] == 12


def test_reinstalling_names_the_exact_template(
    run: Typist, ct101: Container, busybox: Template
) -> None:
    Template.objects.create(
        node=busybox.node, name="debian", version=3, init="systemd", created=busybox.created
    )
    assert run("reinstall 101 --ostemplate debian --skipbackup")[0] == 0
    asked = Operation.objects.get(kind="reinstall").params
    assert asked == {"template": "debian@3", "skipbackup": True}
    assert run("reinstall 101 --ostemplate nosuch")[0] == 91
