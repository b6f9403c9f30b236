"""Archives that are uploaded and checked before their CodePush is created."""

import logging
from datetime import timedelta
from hashlib import file_digest
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.files import File
from django.db.models import QuerySet
from django.utils import timezone

from builds.errors import InvalidInput, TryLater
from builds.models import Build
from deployments import bundle_storage
from deployments.bundles.archive import ArchiveContents, open_archive
from deployments.bundles.manifest import compute_content_hash, compute_package_hash
from deployments.models import CodePush, Upload, new_upload_id
from deployments.policy.text import remove_misleading
from deployments.services import bundle_checks, checks

logger = logging.getLogger(__name__)

UPLOAD_LIFETIME = timedelta(days=1)


def stage_upload(build: Build, *, actor: User, file: "File[bytes]", file_name: str) -> Upload:
    """The archive is stored and was found fit for the build. Devices and the build notice nothing.

    Reads every byte (198 MB: 0.5 to 2.9 s), in constant memory. That the content is Live already refuses nothing
    here: the person may want it, and says so with the form.
    Raises InvalidInput (BundleTooLarge) and NotAllowedNow; then nothing is stored.
    """
    checks.require_accepts_codepushes(build)
    bundle_checks.check_size(file.size or 0)
    archive_file = cast(Any, file.file)
    with bundle_checks.refused_as_input(), open_archive(archive_file) as archive:
        contents = bundle_checks.read_checked(archive, build)
    file.seek(0)
    archive_sha256 = file_digest(archive_file, "sha256").hexdigest()
    upload_id = new_upload_id()
    storage_name = store_upload(upload_id, file)
    try:
        return Upload.objects.create(
            upload_id=upload_id,
            build=build,
            created_by=actor,
            storage_name=storage_name,
            file_name=remove_misleading(file_name)[:255] or "bundle.zip",
            size_bytes=file.size,
            archive_sha256=archive_sha256,
            expires_at=timezone.now() + UPLOAD_LIFETIME,
            **_describe(contents),
        )
    except Exception:
        bundle_storage.delete(storage_name)
        raise


def _describe(contents: ArchiveContents) -> dict[str, str | int | None]:
    return {
        "content_hash": compute_content_hash(contents.manifest),
        "package_hash": compute_package_hash(contents.manifest),
        "file_count": len(contents.manifest),
        "js_bundle_path": contents.js_bundle.path,
        "hermes_bytecode_version": contents.js_bundle.hermes_bytecode_version,
    }


def store_upload(name: str, upload: "File[bytes]") -> str:
    """Where the archive now waits. Raises CannotStore when the storage does not take it."""
    upload.seek(0)
    try:
        return bundle_storage.save_upload(name, upload)
    except bundle_storage.StorageUnavailable as failure:
        logger.exception("upload of %s not stored", name)
        raise CannotStore from failure


def get_upload(upload_id: str, *, build: Build, actor: User) -> Upload:
    """One that this person may still use on this build. Raises UploadGone."""
    # PostgreSQL does not look for a NUL.
    upload = None if "\0" in upload_id else _usable(build, actor).filter(upload_id=upload_id).first()
    if upload is None:
        raise UploadGone
    return upload


def consume_upload(upload: Upload, *, build: Build, actor: User, live: CodePush | None, allows_identical: bool) -> None:
    """The archive belongs to the CodePush that is being created, in whose transaction this runs; to no other.

    Raises UploadGone (used or expired meanwhile, or never this person's), InvalidInput (the content is Live already).
    """
    with bundle_checks.refused_as_input("allows_identical"):
        bundle_checks.require_news(live, upload.content_hash, allows_identical=allows_identical)
    # One conditional DELETE: of two forms that were sent with it, and a sweep, exactly one sees its row count.
    deleted, _ = _usable(build, actor).filter(pk=upload.pk).delete()
    if not deleted:
        raise UploadGone


def _usable(build: Build, actor: User) -> "QuerySet[Upload]":
    return Upload.objects.filter(build=build, created_by=actor, expires_at__gt=timezone.now())


class CannotStore(TryLater):
    """The storage, or the disk of this host, does not take the archive."""

    def __init__(self) -> None:
        super().__init__("The bundle cannot be stored now. Nothing has changed; try again later.")


class UploadGone(InvalidInput):
    """No such upload for this person on this build, or no more."""

    def __init__(self) -> None:
        super().__init__(
            "The uploaded file is no longer there: it was used already, or waited for more than a day. "
            "Choose the bundle again.",
            field="bundle",
        )
