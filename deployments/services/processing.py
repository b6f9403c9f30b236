"""What the worker does with an uploaded archive: check, hash, store, diff, and in one short transaction give the label.

A worker may die at any instruction. Its claim (`attempt_id`) ends when its heartbeat is older than the lease; then
another worker claims the CodePush and starts over. Everything before the label is repeatable: archives are stored
under the hash of their bytes, and nothing is visible to devices. Only the holder of the claim can give the label.
"""

import logging
import tempfile
import time
from datetime import timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import OperationalError

from builds.models import AuditAction
from deployments import bundle_storage
from deployments.bundles.archive import Archive, ArchiveContents, open_archive
from deployments.bundles.diff import DiffPlan, is_worthwhile, plan_diff, write_diff
from deployments.bundles.manifest import compute_content_hash, compute_package_hash
from deployments.bundles.refusal import BundleRefused
from deployments.bundles.signature import read_signature
from deployments.models import Bundle, BundleDiff, BundleFileSizes, CodePush
from deployments.selectors import find_live_codepush
from deployments.services.attempt import Attempt, AttemptLost
from deployments.services.bundle_checks import read_checked, require_news, require_signed
from deployments.services.change import build_change
from deployments.services.patches import make_patch
from deployments.services.publishing import give_label, record_success, wait_for_approval

logger = logging.getLogger(__name__)

# Diffs are made against this many different bundles of the build, as the server of origin did.
DIFFED_BUNDLES = 5
# So long may all patches of one upload take; files that are left then go whole. The newest bundle comes first.
PATCHES_SECONDS = 30.0
# A bundle that kills its worker every time must not do so for ever.
MAX_ATTEMPTS = 5


def list_claimable_ids() -> list[int]:
    """CodePushes that no living worker has, oldest first."""
    lease = timedelta(seconds=settings.PROCESSING_LEASE_SECONDS)
    return list(CodePush.objects.claimable(lease=lease).order_by("id").values_list("pk", flat=True))


def process_codepush(codepush_id: int) -> None:
    """The CodePush has succeeded, or failed with a reason; or another worker has it, or it was canceled."""
    attempt = Attempt.claim(codepush_id)
    if attempt is None:
        return
    if attempt.codepush.attempt_count > MAX_ATTEMPTS:
        _fail(
            attempt,
            f"Processing stopped {MAX_ATTEMPTS} times without a result, as when a worker runs out of memory. "
            "Retry it, or upload a smaller bundle.",
        )
        return
    try:
        _process(attempt)
    except AttemptLost:
        logger.info("codepush=%s was canceled or taken over", codepush_id)
    except BundleRefused as refusal:
        _fail(attempt, str(refusal), fails_again=True)
    except FileNotFoundError:
        _fail(attempt, "The uploaded archive is no longer stored. Upload it again.", fails_again=True)
    except (OperationalError, bundle_storage.StorageUnavailable):
        logger.exception("codepush=%s will be tried again: database or storage are away", codepush_id)
        _release(attempt)
    except Exception as error:
        logger.exception("codepush=%s failed", codepush_id)
        _fail(attempt, f"Processing failed inside the server ({type(error).__name__}). Retry it; the log says more.")


def _process(attempt: Attempt) -> None:
    upload_name = attempt.codepush.upload_name
    with (
        attempt.kept_alive(),
        bundle_storage.local_copy(upload_name) as file,
        open_archive(file) as archive,
    ):
        attempt.enter(CodePush.Step.CHECKING)
        contents = _check(attempt, archive)
        attempt.enter(CodePush.Step.STORING)
        bundle = _get_or_store_bundle(file, contents, read_signature(archive))
        # Apart from the bundle: one that was stored before sizes were kept gets them when it is uploaded again.
        BundleFileSizes.objects.get_or_create(bundle=bundle, defaults={"bytes_by_path": contents.bytes_by_path})
        attempt.enter(CodePush.Step.DIFFING)
        _make_diffs(attempt, archive, bundle)
        attempt.enter(CodePush.Step.PUBLISHING)
        _publish(attempt, bundle)
    bundle_storage.delete(upload_name)


def _check(attempt: Attempt, archive: Archive) -> ArchiveContents:
    total_bytes = sum(entry.file_size for entry in archive.entries.values()) or 1
    return read_checked(archive, attempt.codepush.build, on_bytes=lambda done: attempt.advance(done / total_bytes))


def _get_or_store_bundle(file: BinaryIO, contents: ArchiveContents, signature: str) -> Bundle:
    """The stored bundle with this content. Should the attempt fail later, the next one finds it."""
    content_hash = compute_content_hash(contents.manifest)
    known = Bundle.objects.filter(content_hash=content_hash).first()
    if known is not None:
        if known.signature != signature:
            # Stored before signatures were kept.
            known.signature = signature
            known.save(update_fields=["signature"])
        return known
    storage_name, archive_sha256, size_bytes = bundle_storage.save_published(file)
    # Not create(): another worker may be storing the same content for another build.
    bundle, _ = Bundle.objects.get_or_create(
        content_hash=content_hash,
        defaults={
            "package_hash": compute_package_hash(contents.manifest),
            "archive_sha256": archive_sha256,
            "storage_name": storage_name,
            "size_bytes": size_bytes,
            "manifest": contents.manifest,
            "unpacked_bytes": contents.unpacked_bytes,
            "signature": signature,
            "js_bundle_path": contents.js_bundle.path,
            "hermes_bytecode_version": contents.js_bundle.hermes_bytecode_version,
        },
    )
    return bundle


def _make_diffs(attempt: Attempt, archive: Archive, bundle: Bundle) -> None:
    """Diffs and patches exist from the newest different bundles of the build, as far as they are worthwhile."""
    earlier = _list_earlier_bundles(attempt.codepush.build_id, bundle)
    have_diff = set(bundle.incoming_diffs.values_list("from_bundle_id", flat=True))
    patches_until = time.monotonic() + PATCHES_SECONDS
    for place, old in enumerate(earlier):
        attempt.advance(place / len(earlier))
        plan = plan_diff(old.manifest, bundle.manifest)
        if plan is None:
            continue
        if old.pk not in have_diff and is_worthwhile(plan, archive):
            _make_diff(plan, old, bundle, archive)
        make_patch(plan, old, bundle, archive, deadline=patches_until)


def _make_diff(plan: DiffPlan, old: Bundle, bundle: Bundle, archive: Archive) -> None:
    with tempfile.TemporaryFile() as file:
        write_diff(plan, archive, file)
        storage_name, _, size_bytes = bundle_storage.save_published(file)
    BundleDiff.objects.get_or_create(
        from_bundle=old, to_bundle=bundle, defaults={"storage_name": storage_name, "size_bytes": size_bytes}
    )


def _list_earlier_bundles(build_id: int, bundle: Bundle) -> list[Bundle]:
    """The last different bundles of the build, newest first."""
    releases = CodePush.objects.filter(build_id=build_id).successful().by_label_descending()
    bundle_ids = list(dict.fromkeys(releases.values_list("bundle_id", flat=True)))
    newest_ids = [bundle_id for bundle_id in bundle_ids if bundle_id not in (None, bundle.pk)][:DIFFED_BUNDLES]
    bundles = Bundle.objects.in_bulk(newest_ids)
    return [bundles[bundle_id] for bundle_id in newest_ids if bundle_id in bundles]


def _publish(attempt: Attempt, bundle: Bundle) -> None:
    """Give the label, in one short transaction. From its commit on, devices are offered the update.

    Where a second person must approve it, it waits for them instead, as it stands: approving gives the label.
    """
    codepush = attempt.codepush
    with build_change(codepush.build_id, actor=None) as change:
        attempt.confirm()
        live = find_live_codepush(change.build)
        require_news(live, bundle.content_hash, allows_identical=codepush.allows_identical)
        # Again: a key may have been registered since it was checked.
        require_signed(bundle, change.rules.signing_key, "The bundle")
        codepush.bundle = bundle
        codepush.upload_name, codepush.progress_percent = "", 100
        if change.rules.needs_second_person:
            codepush.status = CodePush.Status.WAITING
            attempt.finish()
            wait_for_approval(change, codepush)
        else:
            give_label(change, codepush)
            attempt.finish()
            record_success(change, codepush, live)


def _release(attempt: Attempt) -> None:
    """The next sweep gives the work to a worker: at once, or when the claim runs out if this cannot be written."""
    try:
        attempt.release()
    except DatabaseFailure:
        logger.warning("codepush=%s not released; its claim runs out", attempt.codepush.pk)


def _fail(attempt: Attempt, reason: str, *, fails_again: bool = False) -> None:
    """The CodePush has failed with the reason; no label, devices untouched; the archive is kept for a retry.

    `fails_again`: the reason lies in the bundle, so that a retry is not what helps.
    """
    codepush = attempt.codepush
    try:
        with build_change(codepush.build_id, actor=None) as change:
            attempt.confirm()
            # Without whatever a publishing that broke off had set.
            codepush.refresh_from_db()
            codepush.status = CodePush.Status.FAILED
            codepush.failure_reason, codepush.fails_again = reason, fails_again
            attempt.finish()
            change.record(AuditAction.CODEPUSH_FAILED, codepush=codepush, after={"failure_reason": reason})
    except AttemptLost:
        logger.info("codepush=%s was canceled or taken over", codepush.pk)
