"""Who may sign in: staff and customers, and the links with which they set a password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from containers.forms.people import PersonForm
from containers.models import AuditEvent, second_factor
from containers.views.page import Request, need, page, pager, posted, record
from containers.views.search import Search


@require_safe
def index(request: Request) -> HttpResponse:
    need(request, "manage_people")
    people = User.objects.annotate(owned=Count("containers")).order_by("username")
    search = Search.of(request)
    people = search.narrow(people, "username", "email")
    context = {"people": pager(request, people), "search": search}
    return page(request, "people/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    need(request, "manage_people")
    form = PersonForm(posted(request), by=request.user)
    if request.method == "POST" and form.is_valid():
        person = form.save()
        role = "staff member" if person.is_staff else "customer"
        record(request, f"add the {role} {person}")
        return give_link(request, person, made=True)
    return page(request, "people/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: Request, pk: int) -> HttpResponse:
    need(request, "manage_people")
    person = get_object_or_404(User, pk=pk)
    form = PersonForm(posted(request), instance=person, by=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        if form.changed_data:
            decided = {name: form.cleaned_data[name] for name in form.changed_data}
            record(request, f"change {person}: {decision(person, decided)}", **decided)
            messages.success(request, "Saved.")
        return redirect("person", person.pk)
    context = {
        "person": User.objects.get(pk=pk),
        "form": form,
        "factor": second_factor.has(person),
        "containers": person.containers.all(),
        "events": AuditEvent.objects.filter(by=person)[:10],
    }
    return page(request, "people/show.html", context, status=form.status)


WORDS = {
    "is_staff": ("is a customer", "is staff"),
    "is_active": ("may not sign in", "may sign in"),
}


def decision(person: User, decided: dict[str, Any]) -> str:
    """What was decided, in words: above all who may do more, or less."""
    said = [words[bool(decided[name])] for name, words in WORDS.items() if name in decided]
    return ", ".join([*said, *(name for name in decided if name not in WORDS)])


@require_POST
def link(request: Request, pk: int) -> HttpResponse:
    need(request, "manage_people")
    return give_link(request, get_object_or_404(User, pk=pk, is_active=True))


def give_link(request: Request, person: User, *, made: bool = False) -> HttpResponse:
    """Show, once, the link with which somebody sets their password. Using it makes it void."""
    token = default_token_generator.make_token(person)
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    record(request, f"make a set-password link for {person}")
    context = {
        "person": person,
        "made": made,
        "link": request.build_absolute_uri(reverse("set_password", args=[uid, token])),
    }
    return page(request, "people/link.html", context)
