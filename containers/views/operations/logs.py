"""What an operation said: by byte offset, as a file, as plain text, and its end."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from containers.models import LogChunk, Operation
from containers.node.bound import Cut
from containers.node.plain_text import plain, plain_pieces
from containers.views.operations.matches import Matches
from containers.views.page import Request, operation_of, page

MOST = 1 << 20  # bytes in one answer
MOST_FOLLOWED = 4 << 20  # bytes of a log that a page shows; the download has all of it
TAIL = 64 << 10  # bytes on a page without JavaScript


@require_safe
def show(request: Request, pk: int) -> HttpResponse:
    """The bytes from an offset on (?from=&max=); what the reader may not see is left out.

    The header Log-Next says where to go on, Log-End where the log ends at present, and Log-Cut
    (begin-end) which bytes are not kept: in their place is a mark, which has no offset. Who asks
    for no offset gets the beginning as plain text, without what is meant for a terminal.
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
    by_offset = not request.GET.keys().isdisjoint({"from", "max"})
    body = b"".join(pieces if by_offset else plain_pieces(pieces))
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    response["Log-Next"], response["Log-End"] = f"{position}", f"{operation.log_len}"
    if operation.cut:
        response["Log-Cut"] = f"{operation.cut_begin}-{operation.cut_end}"
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def text(request: Request, pk: int) -> HttpResponse:
    """Its end as a page of plain text, in which ?q= is marked, and the match ?at= is shown."""
    operation = operation_of(request, pk, "view_log")
    said = tail(operation, request.user, MOST_FOLLOWED)
    sought = request.GET.get("q", "").replace("\0", "")
    context = {
        "operation": operation,
        "container": operation.container,
        "from": max(0, operation.log_len - MOST_FOLLOWED),
        "node_output": request.user.has_perm("containers.view_node_output", operation),
        "matches": Matches.of(said, sought, number(request.GET.get("at"), 1)),
    }
    return page(request, "operations/text.html", context)


@require_safe
def download(request: Request, pk: int) -> StreamingHttpResponse:
    """All of it, as plain text; with ?raw as it was written, byte for byte."""
    operation = operation_of(request, pk, "view_log")
    pieces = marked(readable(operation, request.user), operation.cut)
    raw = "raw" in request.GET
    response = StreamingHttpResponse(
        pieces if raw else plain_pieces(pieces), content_type="text/plain; charset=utf-8"
    )
    of = f"operation-{operation.pk}-{operation.kind}-{operation.ctid or operation.node}"
    name = f"{of}{'-raw' if raw else ''}.log"
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


def tail(operation: Operation, user: User, size: int = TAIL) -> str:
    """The last lines as plain text, of at most so many bytes."""
    pieces: list[bytes] = []
    length, cut = 0, operation.cut
    for chunk in readable(operation, user).reverse().iterator(chunk_size=4):
        if cut and chunk.offset < cut.end:
            pieces.append(cut.mark)
            cut = Cut()
        pieces.append(bytes(chunk.data))
        length += len(chunk.data)
        if length >= size:
            break
    data = b"".join(reversed(pieces))
    if len(data) > size:  # from the beginning of a line on: half an escape code is none
        end = data[-size:]
        data = end.partition(b"\n")[2] or end
    return plain(data.decode(errors="replace"))


def number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else default
