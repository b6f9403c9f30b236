"""An archive goes up before its CodePush is created: as the body of a request, which is answered with what is in it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.shortcuts import render

from builds.access import get_build
from builds.errors import DomainError, InvalidInput
from builds.formats import format_bytes
from builds.models import Build, Role
from builds.views.form_page import find_status
from deployments import selectors
from deployments.models import CodePush, Upload
from deployments.services import bundle_checks, checks, upload_parts, uploads
from deployments.views.polling import end_session

logger = logging.getLogger(__name__)

_TEMPLATE = "deployments/_upload.html"
_CHUNK_BYTES = 256 * 1024


def upload_bundle(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """What the page shows of the uploaded file (201), or why it is refused. `?name=`: what the file is called.

    PUT keeps a part of it (204), under `?key=` `&start=`; POST with `?key=` `&size=` and no body takes the parts as
    the file, or says in `Upload-Held` after how many bytes they end (409).
    Who may not upload, and what is too large, is refused before any of the body is read.
    """
    if not request.user.is_authenticated:
        return end_session()
    _, build = get_build(request.user, slug, build_id, role=Role.RELEASE_MANAGER)
    if request.method not in ("POST", "PUT"):
        return HttpResponseNotAllowed(["POST", "PUT"])
    try:
        checks.require_accepts_codepushes(build)
        if request.method == "PUT":
            _keep_part(request, build)
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        upload = _stage_parts(request, build) if "key" in request.GET else _stage_body(request, build)
    except upload_parts.PartMissing as missing:
        return HttpResponse(status=HTTPStatus.CONFLICT, headers={"Upload-Held": str(missing.held_bytes)})
    except DomainError as refusal:
        return render(request, _TEMPLATE, {"upload_refusal": refusal.message}, status=find_status(refusal))
    shown = describe_upload(build, upload, selectors.find_live_codepush(build))
    return render(request, _TEMPLATE, shown, status=HTTPStatus.CREATED)


def describe_upload(build: Build, upload: Upload | None, live: CodePush | None) -> dict[str, Any]:
    """What the file field shows of it. `same`: the newest update of the build with the same content. One query."""
    same = selectors.find_same_content(build, upload.content_hash) if upload else None
    is_live = live is not None and upload is not None and same is not None and same.bundle_id == live.bundle_id
    shown = {"upload": upload, "same": live if is_live else same, "same_is_live": is_live}
    return {**shown, "part_bytes": upload_parts.PART_BYTES}


def _stage_body(request: HttpRequest, build: Build) -> Upload:
    announced_bytes = _read_number(request.META.get("CONTENT_LENGTH"))
    bundle_checks.check_size(announced_bytes)
    with _received_body(request, announced_bytes) as file:
        name = request.GET.get("name", "")
        return uploads.stage_upload(build, actor=cast(User, request.user), file=file, file_name=name)


def _keep_part(request: HttpRequest, build: Build) -> None:
    upload, start = _read_parted(request, build), _read_number(request.GET.get("start"))
    announced_bytes = _read_number(request.META.get("CONTENT_LENGTH"))
    upload_parts.require_part(start, announced_bytes)
    with _received_body(request, announced_bytes) as file:
        upload_parts.keep_part(upload, start=start, file=file)


def _stage_parts(request: HttpRequest, build: Build) -> Upload:
    upload, size_bytes = _read_parted(request, build), _read_number(request.GET.get("size"))
    with _disk_failures_told():
        return upload_parts.stage_parts(upload, size_bytes=size_bytes, file_name=request.GET.get("name", ""))


def _read_parted(request: HttpRequest, build: Build) -> upload_parts.PartedUpload:
    return upload_parts.PartedUpload(build, cast(User, request.user), request.GET.get("key", ""))


def _read_number(text: str | None) -> int:
    """0 for what is none."""
    # More digits are no size of anything; Python refuses to read thousands of them.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


@contextmanager
def _received_body(request: HttpRequest, announced_bytes: int) -> "Iterator[TemporaryUploadedFile]":
    """All of the body, on disk. Raises InvalidInput when it is not what was announced, CannotStore."""
    with _disk_failures_told(), TemporaryUploadedFile("bundle.zip", "application/zip", announced_bytes, None) as file:
        received_bytes = _receive(request, file)
        if received_bytes != announced_bytes:
            raise InvalidInput(
                f"The upload broke off after {format_bytes(received_bytes)} of {format_bytes(announced_bytes)}. "
                "Upload it again.",
                field="bundle",
            )
        yield file


def _receive(request: HttpRequest, file: TemporaryUploadedFile) -> int:
    """How many bytes came in before the body ended or the connection broke."""
    received_bytes = 0
    try:
        while chunk := request.read(_CHUNK_BYTES):
            file.write(chunk)
            received_bytes += len(chunk)
    except UnreadablePostError:
        return received_bytes
    file.flush()
    return received_bytes


@contextmanager
def _disk_failures_told() -> Iterator[None]:
    """A full disk on this host is told as a storage that fails is."""
    try:
        yield
    except OSError as failure:
        logger.exception("upload not received")
        raise uploads.CannotStore from failure
