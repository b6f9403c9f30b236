"""GET /api/bundles/<name>: archives to devices, when they are stored on this host. Ranges, ETag, cached for ever."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from deployments import bundle_storage
from deployments.device_http import (
    TEXT,
    Answer,
    Environ,
    Header,
    answer,
    device_endpoint,
    stream,
    text,
    without_content,
)

PREFIX = "/api/bundles/"

# The SHA-256 of the bytes. Nothing else in the storage, such as archives still to be processed, has such a name.
_NAME = re.compile(r"[0-9a-f]{64}\.zip", re.ASCII)
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_CHUNK_BYTES = 256 * 1024


@device_endpoint("GET")
def download_bundle(environ: Environ) -> Answer:
    name = environ["PATH_INFO"].removeprefix(PREFIX)
    directory = bundle_storage.local_directory()
    if directory is None or not _NAME.fullmatch(name):
        return _not_found()
    etag = f'"{name.removesuffix(".zip")}"'
    # The name is the hash of the content, so what it names never changes.
    headers = [("ETag", etag), ("Cache-Control", "public, max-age=31536000, immutable"), ("Accept-Ranges", "bytes")]
    path = directory / name
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        return _not_found()
    if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
        return without_content(HTTPStatus.NOT_MODIFIED, *headers)
    wanted = _find_range(environ, etag, size_bytes)
    if wanted is None:
        return _send(environ, path, HTTPStatus.OK, 0, size_bytes, headers)
    start, end = wanted
    if start >= end:
        beyond = ("Content-Range", f"bytes */{size_bytes}")
        return answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", TEXT, *headers, beyond)
    headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size_bytes}"))
    return _send(environ, path, HTTPStatus.PARTIAL_CONTENT, start, end, headers)


def _find_range(environ: Environ, etag: str, size_bytes: int) -> tuple[int, int] | None:
    """(start, end), end excluded; start ≥ end when unsatisfiable; None for the whole file.

    Several ranges, another unit, or an If-Range for another content: the whole file, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch(environ.get("HTTP_RANGE", "").replace(" ", ""))
    if match is None or environ.get("HTTP_IF_RANGE", etag) != etag or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size_bytes - int(last)), size_bytes
    if last and int(last) < int(first):
        return None
    return int(first), min(size_bytes, int(last) + 1 if last else size_bytes)


def _send(environ: Environ, path: Path, status: HTTPStatus, start: int, end: int, headers: list[Header]) -> Answer:
    wrap = environ.get("wsgi.file_wrapper")
    if wrap is not None and environ["REQUEST_METHOD"] == "GET" and status == HTTPStatus.OK:
        # The server copies the file to the network by itself, where it can (PEP 3333), and closes it.
        chunks = wrap(path.open("rb"), _CHUNK_BYTES)
    else:
        chunks = _read_chunks(path, start, end)
    return stream(status, chunks, end - start, "application/zip", *headers)


def _read_chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        remaining = end - start
        while remaining and (chunk := file.read(min(_CHUNK_BYTES, remaining))):
            remaining -= len(chunk)
            yield chunk


def _not_found() -> Answer:
    return text(HTTPStatus.NOT_FOUND, "Not Found: no bundle has this name.")
