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
from containers.views.failures import too_often
from containers.views.page import Request, page, posted, record
from containers.views.search import plain

HALF = "half_signed_in"  # in a session: who has given the password and not yet the code
CODE_WITHIN = 300  # seconds that the code may take


class SignIn(LoginView):
    template_name = "account/login.html"
    redirect_authenticated_user = True

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
        if second_factor.of(user) is None:
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
    half = request.session.get(HALF, {})
    user = User.objects.filter(pk=half.get("user"), is_active=True).first()
    late = time.time() - half.get("at", 0) > CODE_WITHIN
    if not user or late or user.get_session_auth_hash() != half["hash"]:
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
            return enter(request, user, device, half)
        else:
            failed(request, name, "gave a wrong code of the second factor")
            form.add_error("code", "That code is not right, or was used already.")
    status = 422 if form.errors else 200
    return page(cast(Request, request), "account/code.html", {"form": form}, status=status)


def enter(request: HttpRequest, user: User, device: Any, half: dict[str, Any]) -> HttpResponse:
    load_backend(half["backend"])
    del request.session[HALF]
    login(request, user, backend=half["backend"])
    otp_login(request, device)
    recovery = isinstance(device, StaticDevice)
    left = second_factor.codes_left(user)
    record(cast(Request, request), f"sign in with a recovery code ({left} left)" if recovery
           else "sign in with a second factor")  # fmt: skip
    there = half.get("next") or ""
    if not url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure()):
        there = resolve_url(settings.LOGIN_REDIRECT_URL)
    return HttpResponseRedirect(there)


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
