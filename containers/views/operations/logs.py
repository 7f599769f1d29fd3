"""What an operation said: by byte offset, as a file, and its end as plain text."""

import re
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from containers.models import LogChunk, Operation
from containers.node.bound import Cut
from containers.views.page import Request, operation_of

MOST = 1 << 20  # bytes in one answer
TAIL = 64 << 10  # bytes on a page without JavaScript
ESCAPES = re.compile(  # ECMA-48: control sequences, strings up to their end, and the rest
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|[ -/]*[0-~])"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@require_safe
def show(request: Request, pk: int) -> HttpResponse:
    """The bytes from an offset on (?from=&max=); what the reader may not see is left out.

    The header Log-Next says where to go on, Log-End where the log ends at present, and Log-Cut
    (begin-end) which bytes are not kept: in their place is a mark, which has no offset.
    """
    operation = operation_of(request, pk, "view_log")
    start = number(request.GET.get("from"), 0)
    room = min(number(request.GET.get("max"), MOST), MOST)
    pieces, position = [], max(start, operation.log_len)
    cut = operation.cut
    for chunk in readable(operation, request.user, start).iterator(chunk_size=16):
        if cut and start < cut.end <= chunk.offset:
            pieces.append(cut.mark)
            cut = Cut()
        skip = max(0, start - chunk.offset)
        piece = bytes(chunk.data)[skip : skip + room]
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            position = chunk.offset + skip + len(piece)
            break
    response = HttpResponse(b"".join(pieces), content_type="text/plain; charset=utf-8")
    response["Log-Next"], response["Log-End"] = f"{position}", f"{operation.log_len}"
    if operation.cut:
        response["Log-Cut"] = f"{operation.cut_begin}-{operation.cut_end}"
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def download(request: Request, pk: int) -> StreamingHttpResponse:
    operation = operation_of(request, pk, "view_log")
    chunks = readable(operation, request.user)
    response = StreamingHttpResponse(
        marked(chunks, operation.cut), content_type="text/plain; charset=utf-8"
    )
    name = f"operation-{operation.pk}-{operation.kind}-{operation.ctid or operation.node}.log"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def readable(operation: Operation, user: User, start: int = 0) -> QuerySet[LogChunk]:
    """The chunks, from the one that holds the byte at start on, that somebody may read."""
    chunks = LogChunk.objects.filter(operation=operation)
    if start:
        before = chunks.filter(offset__lte=start).order_by("-offset").first()
        chunks = chunks.filter(offset__gte=before.offset if before else start)
    if not user.has_perm("containers.view_node_output", operation):
        chunks = chunks.filter(staff_only=False)
    return chunks.order_by("offset")


def marked(chunks: QuerySet[LogChunk], cut: Cut) -> Iterator[bytes]:
    """The bytes of chunks, and a mark in the place of what is not kept."""
    for chunk in chunks.iterator(chunk_size=16):
        if cut and cut.end <= chunk.offset:
            yield cut.mark
            cut = Cut()
        yield bytes(chunk.data)


def tail(operation: Operation, user: User) -> str:
    """The last lines as plain text, for a page without JavaScript."""
    data = b""
    cut = operation.cut
    for chunk in readable(operation, user).reverse().iterator(chunk_size=4):
        if cut and chunk.offset < cut.end:
            data, cut = cut.mark + data, Cut()
        data = bytes(chunk.data) + data
        if len(data) >= TAIL:
            break
    return plain(data[-TAIL:].decode(errors="replace"))


def plain(text: str) -> str:
    """Without colours and whatever else moves a terminal's cursor."""
    lines = ESCAPES.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(CONTROLS.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in lines)


def number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else default
