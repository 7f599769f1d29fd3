"""The pages for when something fails: what happened, what to do, whom to ask."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(request, 400, "That request could not be understood.", "Go back and try again.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    why = f"{exception}" if exception and f"{exception}" else "You may not do that."
    return failure(request, 403, why, "Ask whoever runs this panel if you should be able to.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return failure(
        request,
        403,
        "The form was too old, or came from another site. Nothing was done.",
        "Go back, reload the page and send it again.",
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return failure(
        request, 404, "There is no such page, or it is not yours to see.", "Look for it in a list."
    )


def too_often(request: HttpRequest, wait: int) -> HttpResponse:
    """After too many wrong passwords. wait: seconds."""
    minutes, seconds = divmod(wait, 60)
    time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    response = failure(
        request,
        429,
        "Too many wrong passwords.",
        f"Wait {time}, then sign in again. Or ask for a new set-password link.",
    )
    response["Retry-After"] = f"{wait}"
    return response


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
