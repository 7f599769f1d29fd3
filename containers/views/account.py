"""One's own account: signing out, the password, sessions, how the pages look."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LogoutView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from containers.forms.account import ChangeForm, SetForm
from containers.models import AuditEvent, Via, second_factor
from containers.models.knock import Knock
from containers.models.user_session import UserSession
from containers.views.context import THEMES
from containers.views.failures import too_often
from containers.views.page import Request, page, posted, record
from containers.views.sign_in.entry import failed

YEAR = 365 * 24 * 3600


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

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(*args, **kwargs)
        opened = kwargs.get("token") != self.reset_url_token
        if opened and isinstance(response, HttpResponseRedirect):  # to where the form is
            self.note("open a set-password link")
        return response

    def note(self, what: str) -> None:
        address = self.request.META.get("REMOTE_ADDR") or None
        AuditEvent.record(what, by=cast(User, self.user), via=Via.BROWSER, address=address)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.note("set a password through a link")
        messages.success(self.request, "Your password is set. You can sign in with it now.")
        return response


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request) -> HttpResponse:
    form = ChangeForm(request.user, posted(request))
    if request.method != "POST":  # there is more on this page
        form.fields["old_password"].widget.attrs.pop("autofocus", None)
    elif wait := waits(request, form):
        return too_often(request, wait)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, request.user)  # the other sessions end
        record(request, "change their own password")
        messages.success(request, "Your password was changed. Other browsers were signed out.")
        return redirect("account")
    context = {
        "form": form,
        "sessions": UserSession.of(request.user),
        "here": request.session.session_key,
        "factor": second_factor.of(request.user),
        "codes_left": second_factor.codes_left(request.user),
    }
    return page(request, "account/edit.html", context, status=422 if form.errors else 200)


def waits(request: Request, form: ChangeForm) -> int:
    """The seconds until a password may be tried again: a session that was left open is no way to
    guess it.
    """
    name = request.user.get_username()
    knock, wait = Knock.at(name, request.META.get("REMOTE_ADDR"))
    if wait:
        failed(request, name, f"had to wait {wait} s to change their password", once=knock)
    elif "old_password" in form.errors:
        failed(request, name, "gave a wrong password when changing it")
    else:
        knock.not_counted()
    return wait


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """POST theme=dark|light|system; kept by the browser."""
    there = request.POST.get("next", "")
    if not there.startswith("/") or not url_has_allowed_host_and_scheme(
        there, {request.get_host()}, request.is_secure()
    ):
        there = "/"
    response: HttpResponse = HttpResponseRedirect(there)
    if (chosen := request.POST.get("theme")) in THEMES:
        response.set_cookie(
            "theme",
            chosen,
            max_age=YEAR,
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
