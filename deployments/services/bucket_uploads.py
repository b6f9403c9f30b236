"""Large archives in parts, straight to object storage: an upload that breaks off goes on where it was.

The web process signs addresses and sees no byte. What the archive holds is for the worker to check.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import Build
from deployments import bundle_storage
from deployments.models import new_upload_id
from deployments.services import bundle_checks, checks
from deployments.services.uploads import CannotStore
from release_api.models import BucketUpload

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=1)
# S3 takes parts of 5 MiB and more, and 10,000 of them. A part that breaks off is sent again from its start.
PART_SIZE_BYTES = 16 * 2**20


class PartsNotTaken(NotAllowedNow):
    """This server stores bundles where they arrive whole."""

    def __init__(self) -> None:
        super().__init__("This server takes no bundles in parts. Send the bundle with the release.")


class NoSuchUpload(InvalidInput):
    """None of this person on this build, or no more."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"You have no upload {upload_id!r} for this build: it was used already, or is older than a day. "
            "Begin another one.",
            field="upload",
        )


class Part(NamedTuple):
    """`url`: where it may be PUT, within the hour."""

    number: int
    offset: int
    size_bytes: int
    url: str


def begin_upload(build: Build, *, actor: User, size_bytes: int) -> BucketUpload:
    """The storage takes parts of an archive of this size. Devices and the build notice nothing.

    Raises PartsNotTaken, InvalidInput (BundleTooLarge), NotAllowedNow.
    """
    if not bundle_storage.takes_parts():
        raise PartsNotTaken
    checks.require_accepts_codepushes(build)
    bundle_checks.check_size(size_bytes)
    upload_id = new_upload_id()
    name = bundle_storage.name_upload(upload_id)
    with _told_in_words(upload_id), bundle_storage.parts_storage() as storage:
        parts_id = storage.begin_parts(name)
    return BucketUpload.objects.create(
        upload_id=upload_id,
        build=build,
        created_by=actor,
        storage_name=name,
        parts_id=parts_id,
        size_bytes=size_bytes,
        part_size_bytes=PART_SIZE_BYTES,
        expires_at=timezone.now() + LIFETIME,
    )


def find_upload(upload_id: str, *, build: Build, actor: User) -> BucketUpload:
    """One that this person may still use on this build. Raises NoSuchUpload."""
    # PostgreSQL does not look for a NUL.
    upload = None if "\0" in upload_id else _usable(build, actor).filter(upload_id=upload_id).first()
    if upload is None:
        raise NoSuchUpload(upload_id)
    return upload


def list_missing_parts(upload: BucketUpload) -> list[Part]:
    """Those that did not arrive yet, or with another size. Two requests to the storage.

    Raises NoSuchUpload (the storage forgot it), CannotStore.
    """
    with _told_in_words(upload.upload_id), bundle_storage.parts_storage() as storage:
        return [
            Part(number, offset, size, storage.sign_part(upload.storage_name, upload.parts_id, number, size))
            for number, offset, size in _find_missing(upload, _list_arrived(upload))
        ]


def join(upload: BucketUpload) -> None:
    """The archive is stored whole. Doing it again changes nothing. Raises as `list_missing_parts`, and InvalidInput."""
    with _told_in_words(upload.upload_id), bundle_storage.parts_storage() as storage:
        arrived = _list_arrived(upload)
        if missing := _find_missing(upload, arrived):
            raise InvalidInput(
                f"Of {upload} {len(missing)} of {len(_cut(upload))} parts did not arrive. "
                f"GET /api/v1/uploads/{upload} tells where to send them.",
                field="upload",
            )
        if arrived is None:
            return
        etags = {number: etag for number, (_, etag) in arrived.items()}
        try:
            storage.join_parts(upload.storage_name, upload.parts_id, etags)
        except FileNotFoundError:
            # The same release, sent twice at once: the other one joined them.
            if not bundle_storage.exists(upload.storage_name):
                raise


def consume(upload: BucketUpload, *, build: Build, actor: User) -> None:
    """The archive belongs to the CodePush that is created in the transaction around this. Raises NoSuchUpload."""
    # One conditional DELETE: of two releases with it, and a sweep, exactly one sees its row count.
    deleted, _ = _usable(build, actor).filter(pk=upload.pk).delete()
    if not deleted:
        raise NoSuchUpload(upload.upload_id)


def _usable(build: Build, actor: User) -> "QuerySet[BucketUpload]":
    return BucketUpload.objects.filter(build=build, created_by=actor, expires_at__gt=timezone.now())


def _list_arrived(upload: BucketUpload) -> dict[int, tuple[int, str]] | None:
    """{number: (size, ETag)}; None: they were joined."""
    if bundle_storage.exists(upload.storage_name):
        return None
    if not bundle_storage.takes_parts():
        # Bundles were moved from object storage meanwhile.
        raise PartsNotTaken
    with bundle_storage.parts_storage() as storage:
        return storage.list_parts(upload.storage_name, upload.parts_id)


def _find_missing(upload: BucketUpload, arrived: dict[int, tuple[int, str]] | None) -> list[tuple[int, int, int]]:
    if arrived is None:
        return []
    return [part for part in _cut(upload) if part[0] not in arrived or arrived[part[0]][0] != part[2]]


def _cut(upload: BucketUpload) -> list[tuple[int, int, int]]:
    """(number, offset, size) of each part. Numbers begin at 1."""
    size, part_size = upload.size_bytes, upload.part_size_bytes
    return [(offset // part_size + 1, offset, min(part_size, size - offset)) for offset in range(0, size, part_size)]


@contextmanager
def _told_in_words(upload_id: str) -> Iterator[None]:
    try:
        yield
    except bundle_storage.StorageUnavailable as failure:
        logger.exception("parts of %s: the storage failed", upload_id)
        raise CannotStore from failure
    except FileNotFoundError as absence:
        raise NoSuchUpload(upload_id) from absence
