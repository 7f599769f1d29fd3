"""The pages for when something fails: what happened, what to do, whom to ask."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(
        request, 400, "The panel did not understand that request.", "Go back and try again."
    )


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    why = f"{exception}" if exception and f"{exception}" else "You are not allowed to do that."
    return failure(request, 403, why, "Ask the hosting staff if you need this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return failure(
        request,
        403,
        "The form has expired or came from another site. Nothing was done.",
        "Go back, reload the page and send the form again.",
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(
        request,
        404,
        "There is no such page, or you are not allowed to see it.",
        "Look for it in the list of containers.",
    )


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """After too many wrong passwords (django-axes)."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return failure(
        request,
        429,
        "There were too many wrong passwords.",
        f"Wait {minutes} minutes and try again, or ask the hosting staff for a set-password link.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return failure(
        request,
        500,
        "Something in the panel failed. Containers are not affected.",
        "Try again in a moment.",
    )


def failure(request: HttpRequest, status: int, sentence: str, advice: str) -> HttpResponse:
    context = {"status": status, "sentence": sentence, "advice": advice}
    return render(request, "failures/failure.html", context, status=status)
