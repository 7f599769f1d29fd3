"""The pages for when something fails: what happened, what to do, whom to ask."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from containers import outage
from containers.outage import Outage

AGAIN = 5  # seconds after which a page is asked for again while the database is out
SECRET = re.compile("pass|secret|code|token", re.IGNORECASE)  # names of fields
CSRF = "csrfmiddlewaretoken"
LONG = 80  # characters of a line


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(
        request, 400, "The panel did not understand that request.", "Go back and try again."
    )


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    why = f"{exception}" if exception and f"{exception}" else "You are not allowed to do that."
    return failure(request, 403, why, "Ask the hosting staff if you need this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return failure(
        request,
        403,
        "The form has expired or came from another site. Nothing was done.",
        "Go back, reload the page and send the form again.",
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(
        request,
        404,
        "There is no such page, or you are not allowed to see it.",
        "Look for it in the list of containers.",
    )


def too_often(request: HttpRequest, wait: int) -> HttpResponse:
    """After too many wrong passwords. wait: seconds."""
    minutes, seconds = divmod(wait, 60)
    time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    response = failure(
        request,
        429,
        "There were too many wrong passwords.",
        f"Wait {time} and try again, or ask the hosting staff for a set-password link.",
    )
    response["Retry-After"] = f"{wait}"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is handled."""
    if found := outage.of(sys.exception()):
        return database_out(request, found)
    return failure(
        request,
        500,
        "Something in the panel failed. Containers are not affected.",
        "Try again in a moment.",
    )


def failure(request: HttpRequest, status: int, sentence: str, advice: str) -> HttpResponse:
    context = {"status": status, "sentence": sentence, "advice": advice}
    return render(request, "failures/failure.html", context, status=status)


@dataclass(frozen=True)
class Typed:
    """What somebody sent in a field: shown again, but for secrets, which have to be typed anew."""

    name: str
    value: str

    @property
    def shown(self) -> str:
        if self.name == CSRF:
            return "hidden"
        if SECRET.search(self.name):
            return "secret"
        if not self.value:
            return "hidden"
        return "text" if "\n" in self.value or len(self.value) > LONG else "line"


def database_out(request: HttpRequest, why: Outage) -> HttpResponse:
    """503: a page that asks for itself again; a form comes back as it was sent, to be sent again.

    Nothing that it is made of is asked of the database, as who is signed in would be.
    """
    if request.path == reverse("health"):  # somebody who has signed in looks at it
        return JsonResponse(why.said, status=503)
    reading = request.method in ("GET", "HEAD")
    context = {
        "status": 503,
        "sentence": why.sentence,
        "again": AGAIN,
        "address": request.get_full_path(),
        "typed": [] if reading else typed(request),
        "reading": reading,
        "files": not reading and bool(request.FILES),
        "theme": request.COOKIES.get("theme") or "system",
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "support": settings.SUPPORT,
    }
    page = render_to_string("failures/database.html", context)
    headers = {"Retry-After": f"{AGAIN}", "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)


def typed(request: HttpRequest) -> list[Typed]:
    sent = request.POST.lists()
    return [Typed(name, f"{value}") for name, values in sent for value in values]
