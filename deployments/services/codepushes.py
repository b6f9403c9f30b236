"""What people do with one CodePush: create, edit, retry, cancel. (Roll back and promote: `republishing`.)

Edit needs the database only: disabling a bad update works with no worker and no broker.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from builds.errors import NotAllowedNow, TryLater
from builds.models import AuditAction, Build
from deployments import bundle_storage, tasks
from deployments.models import ChangeRequest, CodePush, Upload, new_deployment_id
from deployments.policy import transitions
from deployments.selectors import find_live_codepush
from deployments.services import bucket_uploads, bundle_checks, checks, uploads
from deployments.services.change import BuildChange, build_change, codepush_change
from release_api.models import BucketUpload

logger = logging.getLogger(__name__)


def create_codepush(
    build_id: int,
    *,
    actor: User,
    upload: "File[bytes] | Upload | BucketUpload",
    description: str = "",
    is_mandatory: bool = False,
    rollout_percent: int = 100,
    build_target: str | None = None,
    platform: str | None = None,
    target_binary_range: str | None = None,
    allows_identical: bool = False,
    reason: str = "",
    expected_live: str | None = None,
) -> CodePush:
    """A pending CodePush that a worker will process; its archive is stored. Devices notice nothing yet.

    Where a second person must approve it, it waits for them once it is processed (`publishing`); `reason` is for them.

    `upload`: an archive, or one that was uploaded before, which is used up; after a refusal that one is as it was.
    `build_target`, `platform` and `target_binary_range` are the build's own; a request that says otherwise is refused,
    not ignored.
    Raises InvalidInput (a value, or an archive that already shows that it cannot be released), NotAllowedNow (the build
    takes no CodePush), StaleView.
    """
    checks.check_description(description)
    checks.check_rollout(rollout_percent)
    checks.check_reason(reason)
    build = Build.objects.get(pk=build_id)
    checks.require_same_place(
        build, build_target=build_target, platform=platform, target_binary_range=target_binary_range
    )
    checks.require_accepts_codepushes(build)
    deployment_id = new_deployment_id()
    # Stored before the lock is taken: 200 MB take a while, and nobody else should wait for them.
    with _stored(upload, deployment_id, build) as upload_name, build_change(build_id, actor=actor) as change:
        live = change.require_live(expected_live)
        checks.require_accepts_codepushes(change.build)
        if isinstance(upload, Upload):
            uploads.consume_upload(
                upload, build=change.build, actor=actor, live=live, allows_identical=allows_identical
            )
        elif isinstance(upload, BucketUpload):
            bucket_uploads.consume(upload, build=change.build, actor=actor)
        codepush = CodePush.objects.create(
            build=change.build,
            deployment_id=deployment_id,
            description=description,
            is_mandatory=is_mandatory,
            rollout_percent=rollout_percent,
            allows_identical=allows_identical,
            reason=reason,
            upload_name=upload_name,
            upload_size_bytes=upload.size if isinstance(upload, File) else upload.size_bytes,
            created_by=actor,
        )
        after = codepush.describe_settings()
        change.record(AuditAction.CODEPUSH_CREATED, codepush=codepush, after=after, reason=reason)
        transaction.on_commit(lambda: tasks.queue_processing(codepush.pk))
    return codepush


@contextmanager
def _stored(upload: "File[bytes] | Upload | BucketUpload", deployment_id: str, build: Build) -> Iterator[str]:
    """Where the archive is. One that was stored for this is gone again when the body fails."""
    if not isinstance(upload, File):
        if isinstance(upload, BucketUpload):
            bucket_uploads.join(upload)
        yield upload.storage_name
        return
    bundle_checks.check_directory(upload, build.platform)
    upload_name = uploads.store_upload(deployment_id, upload)
    try:
        yield upload_name
    except Exception:
        bundle_storage.delete(upload_name)
        raise


def edit_codepush(
    codepush_id: int,
    *,
    actor: User,
    description: str | None = None,
    is_enabled: bool | None = None,
    is_mandatory: bool | None = None,
    rollout_percent: int | None = None,
    reason: str = "",
    expected_live: str | None = None,
    approval: ChangeRequest | None = None,
) -> CodePush:
    """The CodePush has the values given (None: as before), for devices that have not received it yet.

    Disabling the Live one makes the previous enabled success Live again; enabling it makes it Live again.
    Raises InvalidInput, NotAllowedNow (it has not succeeded), StaleView, ApprovalNeeded (more devices would get it).
    """
    checks.check_reason(reason)
    if description is not None:
        checks.check_description(description)
    if rollout_percent is not None:
        checks.check_rollout(rollout_percent)
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        live = change.require_live(expected_live)
        checks.require_success(codepush, to_be="edited")
        before = codepush.describe_settings()
        given = {
            "description": description,
            "is_enabled": is_enabled,
            "is_mandatory": is_mandatory,
            "rollout_percent": rollout_percent,
        }
        changed = {name: value for name, value in given.items() if value is not None and value != before[name]}
        if changed:
            if transitions.widens_reach(before, before | changed):
                change.require_second_person(approval)
            for name, value in changed.items():
                setattr(codepush, name, value)
            codepush.save(update_fields=list(changed))
            live_before, live_after = _describe_live_change(change, live) if "is_enabled" in changed else ({}, {})
            change.record(
                AuditAction.CODEPUSH_EDITED,
                codepush=codepush,
                before={name: before[name] for name in changed} | live_before,
                after=changed | live_after,
                reason=reason,
            )
        return codepush


def _describe_live_change(change: BuildChange, before: CodePush | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the entry says of Live before and after; nothing when it is the same one. One query."""
    after = find_live_codepush(change.build)
    if before == after:
        return {}, {}
    return {"live": before.label if before else None}, {"live": after.label if after else None}


def retry(codepush_id: int, *, actor: User) -> CodePush:
    """A failed CodePush is pending again, with the same archive and settings. Raises NotAllowedNow."""
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        checks.require_failed(codepush)
        checks.require_accepts_codepushes(change.build)
        _require_upload(codepush)
        failure_reason = codepush.failure_reason
        codepush.status = CodePush.Status.PENDING
        codepush.step = CodePush.Step.QUEUED
        codepush.failure_reason = ""
        codepush.fails_again = False
        codepush.progress_percent = codepush.attempt_count = 0
        codepush.attempt_id = codepush.started_at = codepush.finished_at = codepush.duration_ms = None
        codepush.save()
        change.record(AuditAction.CODEPUSH_RETRIED, codepush=codepush, before={"failure_reason": failure_reason})
        transaction.on_commit(lambda: tasks.queue_processing(codepush.pk))
        return codepush


def _require_upload(codepush: CodePush) -> None:
    try:
        is_stored = bundle_storage.exists(codepush.upload_name)
    except bundle_storage.StorageUnavailable as failure:
        logger.exception("upload of %s not found", codepush.deployment_id)
        raise TryLater("The bundle storage does not answer now. Nothing has changed; try again later.") from failure
    if not is_stored:
        raise NotAllowedNow(f"The archive of {codepush.deployment_id} is no longer stored. Upload it again.")


def cancel(codepush_id: int, *, actor: User) -> CodePush:
    """A pending or processing CodePush is canceled; its worker stops at its next step. Raises NotAllowedNow."""
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        checks.require_unfinished(codepush)
        before = codepush.status
        codepush.status = CodePush.Status.CANCELED
        codepush.attempt_id = None
        codepush.finished_at = timezone.now()
        codepush.save(update_fields=["status", "attempt_id", "finished_at"])
        change.record(
            AuditAction.CODEPUSH_CANCELED, codepush=codepush, before={"status": before}, after={"status": "canceled"}
        )
        return codepush
