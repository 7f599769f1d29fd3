"""A generated password on its way to the one page that shows it.

It waits in the session, sealed: the key is made of the panel's secret and of what a cookie of that
page's holds, which no script can read. Neither the cookie nor the row is worth anything alone.
"""

from __future__ import annotations

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from containers.models import Operation

COOKIE = "once"
SEALED = "sealed"  # in the session: {address of the page: what waits for it}
MOST = 8  # that wait at the same time
SECONDS = 600
LONG = 3600  # seconds that pages in between may take


def show_once(
    request: HttpRequest, response: HttpResponse, operation: Operation, password: str
) -> HttpResponse:
    if password:
        put(request, response, operation.get_absolute_url(), password, SECONDS)
    return response


def taken(request: HttpRequest, operation: Operation) -> str:
    """The password to show on the page of this operation, if it's the first time."""
    return found(request, operation.get_absolute_url(), SECONDS)


def forget(request: HttpRequest, response: HttpResponse, operation: Operation) -> HttpResponse:
    drop(request, response, operation.get_absolute_url())
    return response


def hold(request: HttpRequest, response: HttpResponse, password: str) -> HttpResponse:
    """For the pages at this address, until they hand it over; "" to forget it."""
    if password:
        put(request, response, request.path, password, LONG)
    else:
        drop(request, response, request.path)
    return response


def held(request: HttpRequest) -> str:
    """What waits for this page."""
    return found(request, request.path, LONG)


def put(
    request: HttpRequest, response: HttpResponse, path: str, password: str, seconds: int
) -> None:
    nonce = secrets.token_urlsafe(16)
    waiting = {**request.session.get(SEALED, {})}
    waiting.pop(path, None)
    kept = dict(list(waiting.items())[1 - MOST :])
    sealed = seal(path, nonce).encrypt(password.encode()).decode()
    request.session[SEALED] = {**kept, path: sealed}
    response.set_cookie(
        COOKIE,
        nonce,
        max_age=seconds,
        path=path,
        secure=settings.SECURE,
        httponly=True,
        samesite="Strict",
    )


def found(request: HttpRequest, path: str, seconds: int) -> str:
    nonce, sealed = request.COOKIES.get(COOKIE, ""), request.session.get(SEALED, {}).get(path, "")
    try:
        return seal(path, nonce).decrypt(sealed.encode(), ttl=seconds).decode()
    except InvalidToken:
        return ""


def drop(request: HttpRequest, response: HttpResponse, path: str) -> None:
    waiting = request.session.get(SEALED, {})
    if path in waiting:
        request.session[SEALED] = {key: value for key, value in waiting.items() if key != path}
    response.delete_cookie(COOKIE, path=path)


def seal(path: str, nonce: str) -> Fernet:
    """The lock that only this cookie opens, for this page."""
    key = salted_hmac("containers.handover", f"{nonce} {path}", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
