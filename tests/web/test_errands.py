"""What the panel asks for of its own accord holds nobody up, and is done by whoever is there."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from containers.models import Busy, Container, Node, Operation, Template, Via
from containers.node.conf import NodeConf
from containers.node.states import Progress
from containers.worker import Worker
from tests.web.test_pages import text
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)
UUID = "3f0c7a52-9a7b-4d0e-8f0b-0d6f6c1b2a3e"


def errand(container: Container, *, kind: str = "delete_snapshot", via: str = Via.SCHEDULE) -> int:
    return container.request(kind, via=via, params={"snapshot": UUID, "replaced": 1}).pk


@pytest.mark.parametrize("kind", ["delete_snapshot", "delete_replaced"])
def test_in_the_queue_it_gives_way_to_what_somebody_asks_for(
    ct101: Container, bob: User, kind: str
) -> None:
    waits = errand(ct101, kind=kind)
    assert ct101.operation is None
    start = next(offer for offer in ct101.offers(bob) if offer.kind.name == "start")
    assert start.possible, start.refusal

    operation = ct101.request("start", by=bob)

    assert ct101.operation == operation
    assert not Operation.objects.filter(pk=waits).exists()  # it is asked for anew later


def test_the_list_offers_what_it_would_offer_without_it(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    errand(ct101)
    page = as_bob.get(reverse("containers")).content.decode()
    assert 'value="start"' in page
    assert as_bob.post(reverse("requests", args=[101]), {"kind": "start"}).status_code == 302
    assert ct101.operations.get().kind == "start"


def test_while_it_runs_it_does_not(ct101: Container, alpha: Node) -> None:
    errand(ct101)
    running = Operation.objects.all().claim(alpha)
    assert running
    with pytest.raises(Busy) as busy:
        ct101.request("start")
    assert f"{busy.value}".startswith(
        f"CT 101 is busy: operation {running.pk} (Delete a snapshot) has been running since "
    )


@pytest.mark.parametrize(
    ("via", "kind"), [(Via.BROWSER, "delete_snapshot"), (Via.SCHEDULE, "snapshot")]
)
def test_what_somebody_asked_for_and_what_a_schedule_makes_stay(
    ct101: Container, via: str, kind: str
) -> None:
    waits = errand(ct101, kind=kind, via=via)
    with pytest.raises(Busy):
        ct101.request("start")
    assert Operation.objects.get().pk == waits


def test_an_errand_does_not_drive_out_another(ct101: Container) -> None:
    waits = errand(ct101)
    with pytest.raises(Busy):
        errand(ct101, kind="delete_replaced")
    assert Operation.objects.get().pk == waits


def test_a_worker_for_one_operation_does_what_the_panel_asked_for_and_nothing_of_others(
    node_conf: NodeConf, alpha: Node, busybox: Template, ct101: Container, bob: User
) -> None:
    other, third = (
        Container.objects.create(ctid=ctid, node=alpha, template=busybox, state="stopped")
        for ctid in (102, 103)
    )
    mine = ct101.request("start", by=bob)
    errands = [errand(other)]
    waits = third.request("start", by=bob)

    Worker(node_conf, alpha, who="pctl").run(until=mine.pk)

    states = dict(Operation.objects.values_list("pk", "state"))
    assert states == {
        mine.pk: Progress.SUCCEEDED,
        **dict.fromkeys(errands, Progress.SUCCEEDED),
        waits.pk: Progress.QUEUED,
    }


# Who is in the way, how far that is, and what to do about it


def test_busy_says_how_far_the_other_is_since_when_and_how_to_end_it(
    ct101: Container, bob: User, alpha: Node, run: Typist, as_bob: Client
) -> None:
    holder = ct101.request("stop", by=bob)
    name, cancel = f"operation {holder.pk} (Stop)", f"pctl operation cancel {holder.pk}"

    code, _, said = run("start 101")
    assert code == 9
    assert f"CT 101 is busy: {name} has been queued since " in said
    assert said.endswith(f"; cancel it with {cancel}.\n")

    assert Operation.objects.all().claim(alpha)
    with pytest.raises(Busy) as busy:
        ct101.request("start")
    assert f"{name} has been running since " in f"{busy.value}"
    answer = as_bob.post(reverse("requests", args=[101]), {"kind": "start"})
    assert answer.status_code == 409
    assert "Wait until it has ended, or cancel it on its page. Nothing" in text(answer)

    assert Operation.objects.get().cancel()
    answer = as_bob.post(reverse("requests", args=[101]), {"kind": "start"})
    assert f"{name} is being cancelled. Wait until it has ended. Nothing" in text(answer)
