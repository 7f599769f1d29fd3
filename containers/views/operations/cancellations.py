"""Asking for the end of an operation."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from containers.views.page import Request, operation_of, record


@require_POST
def create(request: Request, pk: int) -> HttpResponse:
    operation = operation_of(request, pk, "cancel_operation")
    if operation.cancel():
        record(request, f"cancel {operation}", ctid=operation.ctid)
    else:
        messages.info(request, "It was too late to cancel: the operation had already ended.")
    return redirect(operation)
