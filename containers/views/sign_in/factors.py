"""The second factor: setting it up, recovery codes, taking it away, and that staff have one."""

from __future__ import annotations

import base64
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from containers.forms.second_factor import CodeForm
from containers.models import second_factor
from containers.models.user_session import UserSession
from containers.views.page import Request, need, page, record
from containers.views.sign_in.confirmation import confirmed

OPEN = ("second_factor", "passkeys", "passkey_challenge", "passkey_sign_in", "logout", "login",
        "sign_in_code", "theme", "health", "set_password")  # fmt: skip


class Require(MiddlewareMixin):
    """Where staff must have a second factor, there is nothing else for those who lack it."""

    def process_view(self, request: Any, *args: Any) -> HttpResponse | None:
        if not settings.STAFF_2FA or request.resolver_match.url_name in OPEN:
            return None
        user = request.user
        if not user.is_authenticated or not user.is_staff or user.is_verified():
            return None
        return redirect("second_factor")


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(reading=True)
def show(request: Request) -> HttpResponse:
    """POST do=enrol (with code=), codes or remove."""
    take = {"enrol": enrol, "codes": codes, "remove": remove}.get(request.POST.get("do", ""))
    return take(request) if take else present(request)


def present(request: Request, form: CodeForm | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "device": second_factor.of(request.user),
        "has": second_factor.has(request.user),
        "left": second_factor.codes_left(request.user),
        "required": staff_need(request, apps=1),
        "form": form or CodeForm(),
    }
    if not context["device"]:
        device = second_factor.to_enrol(request.user)
        context["secret"] = secret(device)
        context["picture"] = segno.make_qr(device.config_url).svg_data_uri(
            scale=5, border=3, light="#fff"
        )
    status = 422 if context["form"].errors else 200
    return page(request, "account/second_factor.html", context, status=status)


def secret(device: Any) -> str:
    """As it is typed where no picture can be taken, in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def enrol(request: Request) -> HttpResponse:
    if second_factor.of(request.user):
        return redirect("second_factor")
    form = CodeForm(request.POST)
    device = second_factor.to_enrol(request.user)
    if not form.is_valid():
        return present(request, form)
    if not device.verify_token(form.cleaned_data["code"]):
        form.add_error("code", "That is not the code that belongs to this secret now.")
        return present(request, form)
    device.confirmed = True
    device.save()
    otp_login(request, device)
    UserSession.end_others(request.user, request.session.session_key)
    record(request, "set up a second factor")
    return shown(request, new=True)


def codes(request: Request) -> HttpResponse:
    if not second_factor.has(request.user):
        return redirect("second_factor")
    record(request, "make new recovery codes")
    return shown(request)


def shown(request: Request, *, new: bool = False) -> HttpResponse:
    """The recovery codes, this once."""
    context = {"codes": second_factor.new_codes(request.user), "new": new}
    return page(request, "account/recovery_codes.html", context)


def staff_need(request: Request, **which: int) -> bool:
    """Whether these are the last that staff must not be without: apps=1, or passkeys=1."""
    return second_factor.required(request.user) and second_factor.last(request.user, **which)


def remove(request: Request) -> HttpResponse:
    if staff_need(request, apps=1):
        raise PermissionDenied("Staff have to have a second factor here.")
    if second_factor.remove_app(request.user):
        record(request, "remove their second factor")
        alone = not second_factor.has(request.user)
        said = "You sign in with your password alone now." if alone else "The app is not asked now."
        messages.success(request, said)
    return redirect("account")


@require_POST
@confirmed()
def reset(request: Request, pk: int) -> HttpResponse:
    """For somebody who has lost it: by another of the staff."""
    need(request, "manage_people")
    person = get_object_or_404(User, pk=pk)
    if person == request.user:
        raise PermissionDenied("Another of the staff has to reset yours.")
    if second_factor.remove(person):
        record(request, f"reset the second factor of {person}")
        messages.success(request, f"{person} signs in with the password alone now.")
    else:
        messages.info(request, f"{person} has no second factor.")
    return redirect("person", person.pk)
