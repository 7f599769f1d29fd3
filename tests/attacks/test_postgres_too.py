"""Attacks that only PostgreSQL feels: it takes no NUL, and would work for ever."""

import pytest

from tests.web.house import House
from tests.web.test_postgres import house, postgres  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.timeout(180)]

SLEEP = """
import time
from django.conf import settings
from django.db import connection, OperationalError
from containers.gate import deadline
settings.REQUEST_SECONDS = 0.5
connection.close()
deadline.begin()
began = time.monotonic()
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
except OperationalError as error:
    print("stopped", time.monotonic() - began < 5, deadline.over())
"""
NUL = """
from django.test import Client
from django.contrib.auth.models import User
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage")
client = Client(HTTP_HOST="localhost:8000", raise_request_exception=False)
client.force_login(User.objects.get(username="alice"))
found = set()
def add(what, answer):
    found.add(f"{answer.status_code}" + (f" {what}" if answer.status_code == 500 else ""))
for path in ("/containers/", "/operations/", "/people/", "/audit/", "/containers/new/",
             "/containers/101/reinstallation/", "/containers/101/operations/"):
    for name in ("q", "owner", "state", "page", "step", "inquiry", "b"):
        add(path + "?" + name, client.get(path, {name: "a\\0b"}))
for path in ("/login/", "/containers/101/operations/", "/containers/101/reinstallation/",
             "/containers/101/settings/", "/people/new/", "/account/", "/account/sessions/"):
    fields = ("username", "password", "kind", "step", "operation", "hostname", "description",
              "reason", "session", "old_password")
    add(path, client.post(path, dict.fromkeys(fields, "a\\0b")))
other = Client(HTTP_HOST="localhost:8000", raise_request_exception=False)
add("login", other.post("/login/", {"username": "a\\0b", "password": "x"}))
print(sorted(found))
"""


def test_a_question_that_takes_for_ever_is_stopped(house: House) -> None:  # noqa: F811
    assert house.ask(SLEEP).strip() == "stopped True True"


def test_no_nul_makes_a_page_fail(house: House) -> None:  # noqa: F811
    found = house.ask(NUL).strip()
    assert "500" not in found
    assert "200" in found
