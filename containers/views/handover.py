"""A generated password on its way to the one page that shows it.

It travels in a cookie of that page's, readable by no script, and is kept nowhere here: the browser
that asked for it is the one that has it. Where pages lie between, theirs holds it as far.
"""

from django.core import signing
from django.http import HttpRequest, HttpResponse

from containers.models import Operation

COOKIE = "once"
SECONDS = 600
LONG = 3600  # seconds that pages in between may take


def show_once(response: HttpResponse, operation: Operation, password: str) -> HttpResponse:
    if password:
        response.set_cookie(
            COOKIE,
            signing.dumps([operation.pk, password], salt=COOKIE),
            max_age=SECONDS,
            path=operation.get_absolute_url(),
            httponly=True,
            samesite="Lax",
        )
    return response


def taken(request: HttpRequest, operation: Operation) -> str:
    """The password to show on the page of this operation, if it's the first time."""
    try:
        pk, password = signing.loads(request.COOKIES[COOKIE], salt=COOKIE, max_age=SECONDS)
    except (KeyError, ValueError, signing.BadSignature):
        return ""
    return password if pk == operation.pk else ""


def forget(response: HttpResponse, operation: Operation) -> HttpResponse:
    response.delete_cookie(COOKIE, path=operation.get_absolute_url())
    return response


def hold(response: HttpResponse, path: str, password: str) -> HttpResponse:
    """For the pages at this path, until they hand it over; "" to forget it."""
    if not password:
        response.delete_cookie(COOKIE, path=path)
        return response
    response.set_cookie(
        COOKIE,
        signing.dumps([path, password], salt=COOKIE),
        max_age=LONG,
        path=path,
        httponly=True,
        samesite="Lax",
    )
    return response


def held(request: HttpRequest) -> str:
    """What this page's browser holds."""
    try:
        path, password = signing.loads(request.COOKIES[COOKIE], salt=COOKIE, max_age=LONG)
    except (KeyError, ValueError, signing.BadSignature):
        return ""
    return password if path == request.path else ""
