"""One's own account: signing in and out, the password, how the pages look."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from containers.forms.account import ChangeForm, SetForm
from containers.models import AuditEvent, Via
from containers.views.context import THEMES
from containers.views.page import Request, page, posted, record

YEAR = 365 * 24 * 3600


class SignIn(LoginView):
    template_name = "account/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record(cast(Request, self.request), "sign in")
        return response


class SignOut(LogoutView):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            record(cast(Request, request), "sign out")
        return super().post(request, *args, **kwargs)


@method_decorator(login_not_required, name="dispatch")
class SetPassword(PasswordResetConfirmView):
    """What a one-time link leads to."""

    template_name = "account/set_password.html"
    form_class = SetForm
    success_url = reverse_lazy("login")
    reset_url_token = "mine"  # noqa: S105 (stands in the address where the token stood)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        person = cast(User, self.user)
        AuditEvent.record(
            "set a password through a link",
            by=person,
            via=Via.BROWSER,
            address=self.request.META.get("REMOTE_ADDR") or None,
        )
        messages.success(self.request, "Your password is set. You can sign in with it now.")
        return response


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request) -> HttpResponse:
    form = ChangeForm(request.user, posted(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, request.user)  # the other sessions end
        record(request, "change their own password")
        messages.success(request, "Your password was changed. Other browsers were signed out.")
        return redirect("account")
    return page(request, "account/edit.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """POST theme=dark|light|system; kept by the browser."""
    there = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure()):
        there = "/"
    response = redirect(there)
    if (chosen := request.POST.get("theme")) in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, httponly=True, samesite="Lax")
    return response
