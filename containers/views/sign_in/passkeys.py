"""Passkeys: making and removing them, and the doors that they open."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from containers.forms.second_factor import PasskeyForm
from containers.models import second_factor
from containers.models.knock import Knock
from containers.models.passkey import Passkey
from containers.models.user_session import UserSession
from containers.views.failures import too_often
from containers.views.page import Request, page, posted, record
from containers.views.sign_in import ceremony
from containers.views.sign_in.ceremony import Purpose, Unproven
from containers.views.sign_in.confirmation import confirmed, fresh
from containers.views.sign_in.entry import enter, half_of, refused, there
from containers.views.sign_in.factors import shown, staff_need

MOST = 20  # passkeys of one person
BACKEND = "django.contrib.auth.backends.ModelBackend"
NOT_RIGHT = "That passkey was not accepted. Try again, or sign in in another way."


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(reading=True)
def index(request: Request) -> HttpResponse:
    """POST name= and passkey=, the answer to challenge(new); or remove=NUMBER."""
    if "remove" in request.POST:
        return remove(request)
    form = PasskeyForm(posted(request))
    if request.method == "POST" and form.is_valid() and (answer := add(request, form)):
        return answer
    context = {
        "passkeys": Passkey.objects.filter(user=request.user),
        "possible": ceremony.possible(request),
        "name": ceremony.rp_id(request),
        "form": form,
    }
    status = 422 if form.errors else 200
    return page(request, "account/passkeys.html", context, status=status)


def add(request: Request, form: PasskeyForm) -> HttpResponse | None:
    mine = Passkey.objects.filter(user=request.user)
    if mine.count() >= MOST:
        form.add_error(None, f"You have {MOST} passkeys. Remove one first.")
        return None
    first = not second_factor.has(request.user)
    try:
        passkey = ceremony.made(
            request, request.user, form.cleaned_data["passkey"], form.cleaned_data["name"]
        )
    except Unproven:
        form.add_error(None, "That passkey could not be added. Nothing was changed. Try again.")
        return None
    record(request, f"add the passkey {passkey}")
    if not request.user.is_verified():  # type: ignore[attr-defined]
        otp_login(request, passkey)
    if first:
        UserSession.end_others(request.user, request.session.session_key)
        return shown(request, new=True)
    messages.success(request, f"The passkey {passkey} signs you in from now on.")
    return redirect("passkeys")


def remove(request: Request) -> HttpResponse:
    mine = Passkey.objects.filter(user=request.user)
    passkey = next((each for each in mine if f"{each.pk}" == request.POST["remove"]), None)
    if not passkey:
        return redirect("passkeys")
    if staff_need(request, passkeys=1):
        raise PermissionDenied("Staff have to have a second factor here. Add another one first.")
    second_factor.remove_passkey(passkey)
    record(request, f"remove the passkey {passkey}")
    messages.success(request, f"The passkey {passkey} is removed. Delete it on its device, too.")
    return redirect("passkeys")


@login_not_required
@never_cache
@require_POST
def challenge(request: HttpRequest) -> HttpResponse:
    """POST purpose=: what is to be signed, as JSON for the browser."""
    if not ceremony.possible(request):
        raise BadRequest
    purpose, user = request.POST.get("purpose"), request.user
    if purpose == Purpose.ALONE and not user.is_authenticated:
        return JsonResponse(ceremony.ask(request, Purpose.ALONE))
    if purpose == Purpose.SECOND and (half := half_of(request)):
        return JsonResponse(ceremony.ask(request, Purpose.SECOND, half))
    if isinstance(user, User):
        if purpose == Purpose.CONFIRM:
            return JsonResponse(ceremony.ask(request, Purpose.CONFIRM, user))
        if purpose == Purpose.NEW and fresh(cast(Request, request)):
            return JsonResponse(ceremony.ask_new(request, user))
    raise PermissionDenied


@login_not_required
@never_cache
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """POST passkey=, purpose=alone or second, next=."""
    if request.user.is_authenticated:
        return redirect("containers")
    half = half_of(request) if request.POST.get("purpose") == Purpose.SECOND else None
    purpose = Purpose.SECOND if half else Purpose.ALONE
    address = request.META.get("REMOTE_ADDR") or ""
    name = half.get_username() if half else f"passkeys from {address}"  # nobody slows others down
    knock, wait = Knock.at(name, address)
    if wait:
        return too_often(request, wait)
    try:
        passkey = ceremony.proven(request, purpose, request.POST.get("passkey", ""), half)
    except Unproven as error:
        refused(request, error, name)
        messages.error(request, NOT_RIGHT)
        return redirect("sign_in_code" if half else "login")
    knock.succeeded()
    if half:
        return enter(request, half, passkey)
    login(request, passkey.user, backend=BACKEND)
    otp_login(request, passkey)
    record(cast(Request, request), f"sign in with the passkey {passkey}")
    return there(request, request.POST.get("next", ""))
