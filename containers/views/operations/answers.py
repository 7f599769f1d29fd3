"""Being done with the failure of an operation: it is not shown with its container any more."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from containers.views.page import Request, need, operation_of, record


@require_POST
def create(request: Request, pk: int) -> HttpResponse:
    operation = operation_of(request, pk)
    need(request, operation.of_kind.permission.name, operation.container)
    operation.answer()
    record(request, f"dismiss the failure of {operation}", ctid=operation.ctid)
    return redirect(operation.container or operation)
