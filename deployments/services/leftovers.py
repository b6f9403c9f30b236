"""Stored files that nobody needs: found by comparing what is stored with what rows refer to, deleted some days later.

A file goes only when it was asked for once more, under the lock that whoever refers to it anew must take, too
(`stored_files`). What a row refers to is looked up page by page: memory does not grow with the storage.
"""

import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from builds.models import Build
from deployments import bundle_storage
from deployments.bundle_storage import StoredFile
from deployments.models import Bundle, BundleDiff, BundlePatch, CodePush, Upload
from deployments.services.stored_files import reference_change
from release_api.models import BucketUpload

logger = logging.getLogger(__name__)

# An archive is stored just before its row is written; one that is older and has none will never get one.
UPLOAD_GRACE = timedelta(hours=1)
# A part has no row. The rest of it may be on its way for long, over a line that breaks.
PART_GRACE = timedelta(days=1)
# So long can a failed CodePush be retried without uploading its archive again.
RETRY_LIFETIME = timedelta(days=30)
_PAGE = 1000
# Archives that wait for their CodePush: of forms, and of programs.
_WAITING: tuple[type[Upload] | type[BucketUpload], ...] = (Upload, BucketUpload)
_PUBLISHED_NAME = re.compile(r"[0-9a-f]{64}\.zip", re.ASCII)


class Leftover(NamedTuple):
    """A stored file without a use. `due_at`: when it may be deleted; None: never, for it is not ours."""

    kind: str
    name: str
    size_bytes: int
    due_at: datetime | None
    reason: str


class Survey:
    """One walk through the storage, as of `now`. Afterwards it knows how much is stored in all."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.file_count = self.total_bytes = 0

    def list_uploads(self) -> Iterator[Leftover]:
        """Two queries for each thousand files. Raises StorageUnavailable."""
        for page in self._pages(bundle_storage.list_uploads()):
            yield from _list_unneeded_uploads(page, self.now)

    def list_bundles(self) -> Iterator[Leftover]:
        """Bundles, diffs and patches. Three queries for each thousand files. Raises StorageUnavailable."""
        for page in self._pages(bundle_storage.list_published()):
            yield from _list_unneeded_bundles(page, self.now)

    def is_due(self, leftover: Leftover) -> bool:
        return leftover.due_at is not None and leftover.due_at <= self.now

    def delete(self, leftovers: Iterator[Leftover]) -> Iterator[Leftover]:
        """Those that were due and are gone now; others stay. Raises StorageUnavailable."""
        for leftover in leftovers:
            if not self.is_due(leftover):
                continue
            remove = _remove_upload if leftover.kind == "upload" else _remove_bundle_file
            if remove(leftover.name, self.now):
                yield leftover

    def _pages(self, files: Iterator[StoredFile]) -> Iterator[list[StoredFile]]:
        while page := list(islice(files, _PAGE)):
            self.file_count += len(page)
            self.total_bytes += sum(file.size_bytes for file in page)
            yield page


def delete_leftover_uploads(now: datetime) -> None:
    """Stored are only the uploads of unfinished CodePushes, of failed ones (for a month), those that wait for their
    CodePush (for a day), and those of the last hour. Raises StorageUnavailable.
    """
    survey = Survey(now)
    # Its row first: from then on nobody can use it.
    for kind in _WAITING:
        kind.objects.filter(expires_at__lte=survey.now).delete()
    _abort_leftover_parts(survey.now)
    _log(survey.delete(survey.list_uploads()))


def _abort_leftover_parts(now: datetime) -> None:
    """The storage keeps parts only of uploads that may still be used, and of the last hour."""
    begun = bundle_storage.list_begun_uploads()
    known = set(BucketUpload.objects.values_list("parts_id", flat=True)) if begun else set()
    for name, parts_id, began_at in begun:
        if parts_id not in known and began_at <= now - UPLOAD_GRACE:
            with bundle_storage.parts_storage() as storage:
                storage.abort_parts(name, parts_id)
            logger.info("stored=%s aborted: nobody needs its parts", name)


def delete_leftover_bundles(now: datetime) -> None:
    """Stored are only bundles that a CodePush carries, diffs and patches between such, and what lost its last use less
    than UNUSED_BUNDLE_DAYS ago. Raises StorageUnavailable.
    """
    survey = Survey(now)
    mark_unused_bundles(survey.now)
    _log(survey.delete(survey.list_bundles()))


def _log(deleted: Iterator[Leftover]) -> None:
    for leftover in deleted:
        logger.info("stored=%s bytes=%s deleted: %s", leftover.name, leftover.size_bytes, leftover.reason)


def mark_unused_bundles(now: datetime) -> None:
    """The days of grace begin when a bundle is first found without a CodePush. Two statements over all bundles."""
    is_carried = Exists(CodePush.objects.filter(bundle=OuterRef("pk")))
    Bundle.objects.filter(~is_carried, unused_since=None).update(unused_since=now)
    Bundle.objects.filter(is_carried, unused_since__isnull=False).update(unused_since=None)


def find_grace() -> timedelta:
    return timedelta(days=settings.UNUSED_BUNDLE_DAYS)


class _Use(NamedTuple):
    """What one row says of the file that it refers to. `since`: when it lost its use."""

    kind: str
    is_needed: bool
    since: datetime
    reason: str


def _list_unneeded_bundles(page: list[StoredFile], now: datetime) -> Iterator[Leftover]:
    uses = _find_uses([file.name for file in page], now)
    for file in page:
        if not _PUBLISHED_NAME.fullmatch(file.name):
            yield Leftover("foreign", file.name, file.size_bytes, None, "The product gives no such name: left alone.")
            continue
        nobody = _Use("orphan", False, file.modified_at, "No row refers to it, as after a worker was killed.")
        found = uses.get(file.name, [nobody])
        if not any(use.is_needed for use in found):
            last = max(found, key=lambda use: use.since)
            # Also by its own age: what was stored a moment ago is about to be referred to.
            due_at = max(last.since, file.modified_at) + find_grace()
            yield Leftover(last.kind, file.name, file.size_bytes, due_at, last.reason)


def _find_uses(names: list[str], now: datetime) -> dict[str, list[_Use]]:
    uses: dict[str, list[_Use]] = {}
    bundles = Bundle.objects.filter(storage_name__in=names).annotate(is_used=_is_used("pk"))
    for name, is_used, since in bundles.values_list("storage_name", "is_used", "unused_since"):
        uses.setdefault(name, []).append(_Use("bundle", is_used, since or now, "No CodePush carries the bundle."))
    for kind, table in (("diff", BundleDiff), ("patch", BundlePatch)):
        rows = table.objects.filter(storage_name__in=names).annotate(
            from_used=_is_used("from_bundle_id"), to_used=_is_used("to_bundle_id")
        )
        fields = ("storage_name", "from_used", "to_used", "from_bundle__unused_since", "to_bundle__unused_since")
        for name, from_used, to_used, from_since, to_since in rows.values_list(*fields):
            ended = [since or now for is_used, since in ((from_used, from_since), (to_used, to_since)) if not is_used]
            reason = "No CodePush carries a bundle that it leads from or to."
            uses.setdefault(name, []).append(_Use(kind, not ended, min(ended, default=now), reason))
    return uses


def _is_used(bundle_id: str) -> Exists:
    return Exists(CodePush.objects.filter(bundle=OuterRef(bundle_id)))


def _remove_bundle_file(name: str, now: datetime) -> bool:
    """Rows that have lost their use go, and the file with the last of them. Whether it is gone."""
    # Locked: a worker that finds the bundle, and wants it, sets it in use first (`processing`).
    unused = Bundle.objects.filter(~_is_used("pk"), unused_since__lte=now - find_grace()).select_for_update()
    diffs, patches = (table.objects.filter(storage_name=name) for table in (BundleDiff, BundlePatch))
    with reference_change(name):
        for bundle in unused.filter(storage_name=name).defer("manifest"):
            bundle.delete()
        for row in [*diffs.all(), *patches.all()]:
            if unused.filter(pk__in=(row.from_bundle_id, row.to_bundle_id)).defer("manifest"):
                row.delete()
        if Bundle.objects.filter(storage_name=name).exists() or diffs.exists() or patches.exists():
            return False
        bundle_storage.delete(name)
    return True


def _list_unneeded_uploads(page: list[StoredFile], now: datetime) -> Iterator[Leftover]:
    names = [file.name for file in page]
    # The waiting ones before the CodePushes: one that is used in between is in both, and not in neither.
    waiting: dict[str, datetime] = {}
    for kind in _WAITING:
        waiting |= dict(kind.objects.filter(storage_name__in=names).values_list("storage_name", "expires_at"))
    codepushes = {codepush.upload_name: codepush for codepush in CodePush.objects.filter(upload_name__in=names)}
    for file in page:
        young_until = file.modified_at + (PART_GRACE if bundle_storage.is_part(file.name) else UPLOAD_GRACE)
        if (codepush := codepushes.get(file.name)) is not None:
            if not codepush.is_unfinished:
                due_at = max(young_until, _find_end_of_retries(codepush))
                reason = f"{codepush.deployment_id} is {codepush.get_status_display().lower()}"
                kept = ": kept for a retry." if codepush.status == CodePush.Status.FAILED else ": it needs it no more."
                yield Leftover("upload", file.name, file.size_bytes, due_at, reason + kept)
        elif file.name not in waiting:
            reason = "No CodePush and no form refers to it, as after a process was killed."
            yield Leftover("upload", file.name, file.size_bytes, young_until, reason)
        elif waiting[file.name] <= now:
            reason = "It waited for its CodePush for more than a day."
            yield Leftover("upload", file.name, file.size_bytes, max(young_until, waiting[file.name]), reason)


def _find_end_of_retries(codepush: CodePush) -> datetime:
    ended_at = codepush.finished_at or codepush.created_at
    return ended_at + RETRY_LIFETIME if codepush.status == CodePush.Status.FAILED else ended_at


def _remove_upload(name: str, now: datetime) -> bool:
    """Whether it is gone: somebody may have retried its CodePush just now."""
    with transaction.atomic():
        mine = CodePush.objects.filter(upload_name=name)
        # The lock of whoever retries.
        list(Build.objects.select_for_update().filter(pk__in=mine.values("build_id")).values_list("pk"))
        if any(each.is_unfinished or _find_end_of_retries(each) > now for each in mine):
            return False
        if any(kind.objects.filter(expires_at__gt=now, storage_name=name).exists() for kind in _WAITING):
            return False
        mine.update(upload_name="")
        bundle_storage.delete(name)
    return True
