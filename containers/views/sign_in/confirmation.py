"""Asks again who somebody is, before what can't be taken back: what they had sent is kept.

The page that asks holds all that was sent, and sends it once more with the password.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from containers.forms.second_factor import ConfirmForm
from containers.models.knock import Knock
from containers.models.user_session import CONFIRMED
from containers.views.page import Request, page, record
from containers.views.sign_in.entry import failed

VALID = 600  # seconds
LARGEST = 2 << 20  # bytes of a file that is kept
FILE = "kept file "  # begins the names of fields that hold one
OURS = frozenset({"csrfmiddlewaretoken", ConfirmForm.FIELD})

P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponse]


def always(request: Request, *args: Any, **kwargs: Any) -> bool:
    return True


def confirmed(
    when: Callable[..., bool] = always, *, reading: bool = False
) -> Callable[[View[P]], View[P]]:
    """A view that whoever has not signed in or confirmed for ten minutes has to confirm.

    when: for which requests; reading: also for a page that is only looked at.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapped(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            asked = request.method == "POST" or reading
            if not asked or fresh(request) or not when(request, *args, **kwargs):
                return view(request, *args, **kwargs)
            form = ConfirmForm(request.POST if ConfirmForm.FIELD in request.POST else None)
            if not (form.is_bound and form.is_valid() and right(request, form)):
                return ask(request, form)
            request.session[CONFIRMED] = time.time()
            record(request, "confirm who they are")
            if "kept_get" in request.POST:
                return redirect(request.get_full_path())
            unpack(request)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def fresh(request: Request) -> bool:
    return bool(0 <= time.time() - request.session.get(CONFIRMED, 0) < VALID)


def right(request: Request, form: ConfirmForm) -> bool:
    name = request.user.get_username()
    knock, wait = Knock.at(name, request.META.get("REMOTE_ADDR"))
    if wait:
        failed(request, name, f"had to wait {wait} s to confirm who they are", once=knock)
        form.add_error(form.FIELD, f"Too many wrong passwords. Wait {wait} seconds.")
        return False
    if form.opens(request.user):
        knock.succeeded()
        return True
    failed(request, name, "failed to confirm who they are")
    form.add_error(form.FIELD, "That is not right.")
    return False


def ask(request: Request, form: ConfirmForm) -> HttpResponse:
    kept = [
        (name, value)
        for name in request.POST
        if name not in OURS
        for value in request.POST.getlist(name)
    ]
    if request.method != "POST":
        kept.append(("kept_get", "1"))
    for name, upload in request.FILES.items():
        if upload.size and upload.size <= LARGEST:  # type: ignore[union-attr]
            body = base64.b64encode(upload.read()).decode()  # type: ignore[union-attr]
            kept.append((f"{FILE}{name}", f"{upload.name} {body}"))  # type: ignore[union-attr]
    back = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = reverse("containers")
    context = {"form": form, "kept": kept, "minutes": VALID // 60, "back": back}
    status = 422 if form.errors else 403
    return page(request, "account/confirm.html", context, status=status)


def unpack(request: Request) -> None:
    """Files that the page held are files again."""
    for name in request.POST:
        if name.startswith(FILE):
            called, _, body = request.POST[name].rpartition(" ")
            content = base64.b64decode(body, validate=False)
            request.FILES[name.removeprefix(FILE)] = SimpleUploadedFile(called, content)
