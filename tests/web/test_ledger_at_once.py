"""Several processes write to the audit and take it in, all at once: one chain, every row once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from containers.node import ledger
from tests.web.house import House
from tests.web.test_postgres import house, postgres  # noqa: F401 (fixtures)

PROCESSES, EACH = 4, 40
FURNISH = """
from django.core.management import call_command
call_command("migrate", verbosity=0, skip_checks=True)
"""
WRITE = """
from django.conf import settings
from django.db import transaction
from containers.models import AuditEvent
from containers.worker.ledger import take_in
for number in range({each}):
    with transaction.atomic():
        AuditEvent.objects.create(what=f"{who} {{number}}", name="{who}", via="pctl")
    if number % 10 == 9:
        try:
            with transaction.atomic():
                AuditEvent.objects.create(what="never", name="{who}", via="pctl")
                raise KeyError
        except KeyError:
            pass
    take_in(settings.NODE)
"""
COMPARE = """
from django.conf import settings
from containers.models import AuditEvent
from containers.worker.ledger import compare, take_in
while take_in(settings.NODE):
    pass
print([vars(found) for found in compare(settings.NODE)], AuditEvent.objects.count())
"""


def written_at_once(house: House) -> None:  # noqa: F811
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(house.ask, (WRITE.format(who=w, each=EACH) for w in range(PROCESSES))))
    assert house.ask(COMPARE).strip() == f"[] {PROCESSES * EACH}"
    lines = [line for line in ledger.lines(house.conf) if line]
    assert [line["n"] for line in lines] == list(range(1, PROCESSES * EACH + 1))
    assert len({line["row"]["id"] for line in lines}) == PROCESSES * EACH


def test_on_sqlite(tmp_path: Path) -> None:
    own = House(tmp_path / "state")
    try:
        own.ask(FURNISH)
        written_at_once(own)
    finally:
        own.close()


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.timeout(180)
def test_on_postgresql(house: House) -> None:  # noqa: F811
    written_at_once(house)
