"""The door for people: a user name and a password, and a code where there is a second factor."""

from __future__ import annotations

import time
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import load_backend, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login
from django_otp import match_token
from django_otp.plugins.otp_static.models import StaticDevice

from containers.forms.second_factor import CodeForm
from containers.models import AuditEvent, Via, second_factor
from containers.models.knock import Knock
from containers.models.passkey import Passkey
from containers.views.failures import too_often
from containers.views.page import Request, page, posted, record
from containers.views.search import plain
from containers.views.sign_in import ceremony

HALF = "half_signed_in"  # in a session: who has given the password and not yet the code
CODE_WITHIN = 300  # seconds that the code may take


class SignIn(LoginView):
    template_name = "account/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkeys=ceremony.possible(self.request), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = plain(request.POST.get("username", "")).strip()
        self.knock, wait = Knock.at(name, request.META.get("REMOTE_ADDR"))
        if wait:
            if self.knock.failures or self.knock.held:
                failed(request, name, f"had to wait {wait} s to sign in", once=self.knock)
            return too_often(request, wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.get_user()
        if not second_factor.has(user):
            self.knock.succeeded()
            response = super().form_valid(form)
            record(cast(Request, self.request), "sign in")
            return response
        self.knock.not_counted()
        self.request.session[HALF] = {
            "user": user.pk,
            "backend": user.backend,  # type: ignore[attr-defined]
            "hash": user.get_session_auth_hash(),
            "next": self.get_redirect_url(),
            "at": time.time(),
        }
        return redirect("sign_in_code")

    def form_invalid(self, form: Any) -> HttpResponse:
        name = plain(self.request.POST.get("username", "")).strip()
        failed(self.request, name, "failed to sign in")
        return super().form_invalid(form)


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step, for whoever has given the password a moment ago."""
    user = half_of(request)
    if not user:
        request.session.pop(HALF, None)
        return redirect("login")
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        name = user.get_username()
        knock, wait = Knock.at(name, request.META.get("REMOTE_ADDR"))
        if wait:
            failed(request, name, f"had to wait {wait} s to give a code", once=knock)
            return too_often(request, wait)
        if second_factor.resting(user):
            knock.not_counted()
            form.add_error("code", "After a wrong code, wait some seconds before the next.")
        elif device := match_token(user, form.cleaned_data["code"]):
            knock.succeeded()
            return enter(request, user, device)
        else:
            failed(request, name, "gave a wrong code of the second factor")
            form.add_error("code", "That code is not right, or was used already.")
    status = 422 if form.errors else 200
    context = {
        "form": form,
        "app": second_factor.of(user),
        "passkeys": ceremony.usable(request, user),
    }
    return page(cast(Request, request), "account/code.html", context, status=status)


def half_of(request: HttpRequest) -> User | None:
    """Who has given the password in this browser a moment ago, and is to give the rest."""
    half = request.session.get(HALF, {})
    user = User.objects.filter(pk=half.get("user"), is_active=True).first()
    late = time.time() - half.get("at", 0) > CODE_WITHIN
    if not user or late or user.get_session_auth_hash() != half["hash"]:
        return None
    return user


def enter(request: HttpRequest, user: User, device: Any) -> HttpResponse:
    half = request.session.pop(HALF)
    load_backend(half["backend"])
    login(request, user, backend=half["backend"])
    otp_login(request, device)
    left = second_factor.codes_left(user)
    ways = {StaticDevice: f"a recovery code ({left} left)", Passkey: f"the passkey {device}"}
    record(cast(Request, request), f"sign in with {ways.get(type(device), 'a second factor')}")
    return there(request, half.get("next") or "")


def there(request: HttpRequest, path: str) -> HttpResponse:
    """To where they were going, if it is a page of ours."""
    if not url_has_allowed_host_and_scheme(path, {request.get_host()}, request.is_secure()):
        path = resolve_url(settings.LOGIN_REDIRECT_URL)
    return HttpResponseRedirect(path)


def refused(request: HttpRequest, error: ceremony.Unproven, name: str) -> None:
    """A passkey's wrong answer; a counter that went back means that there is a copy of the key."""
    if not error.passkey:
        failed(request, name, "failed with a passkey")
        return
    copied = ": its counter went back, so it may have been copied"
    what = f"was refused with the passkey {error.passkey}"
    whose = error.passkey.user.get_username()
    failed(request, whose, f"{what}{copied if error.passkey.went_back else ''}")


def failed(request: HttpRequest, name: str, what: str, once: Knock | None = None) -> None:
    """On record under the name if somebody has it: what is typed there may be a password.

    once: only the first time in a series of waits.
    """
    user = User.objects.filter(username=name).first()
    whose = name if user else "an unknown user name"
    address = request.META.get("REMOTE_ADDR") or None
    if once:
        last = AuditEvent.objects.filter(address=address, name=whose).first()
        if last and last.details.get("waits"):
            return
    waits = {"waits": True} if once else {}
    AuditEvent.record(what, by=None, called=whose, via=Via.BROWSER, address=address, **waits)
