"""Binary patches between stored bundles. A patch is never needed: what stops one from being made is no failure."""

import logging
import tempfile
from functools import partial

from deployments import bundle_storage
from deployments.bundle_storage import Published
from deployments.bundles.archive import Archive, open_archive
from deployments.bundles.diff import DiffPlan, estimate_bytes
from deployments.bundles.patch import may_be_patched, write_patch
from deployments.bundles.refusal import BundleRefused
from deployments.models import Bundle, BundlePatch
from deployments.services.stored_files import store_published

logger = logging.getLogger(__name__)


def make_patch(plan: DiffPlan, old: Bundle, bundle: Bundle, archive: Archive, *, deadline: float) -> None:
    """A patch from the old bundle exists, if it is smaller than half of the diff.

    `archive` is that of `bundle`. Reads the old archive from the storage; no work is begun after the deadline.
    """
    known = BundlePatch.objects.filter(from_bundle=old, to_bundle=bundle)
    if not may_be_patched(plan, old.manifest, archive) or known.exists():
        return
    try:
        with (
            bundle_storage.local_copy(old.storage_name) as old_file,
            open_archive(old_file) as old_archive,
            tempfile.TemporaryFile() as file,
        ):
            is_written = write_patch(plan, old_archive, archive, bundle.manifest, file, deadline=deadline)
            if not is_written or file.tell() * 2 >= estimate_bytes(plan, archive):
                return
            store_published(file, partial(_refer, old, bundle))
    except (FileNotFoundError, bundle_storage.StorageUnavailable, BundleRefused) as failure:
        logger.warning("no patch from bundle=%s to bundle=%s: %s", old.pk, bundle.pk, failure)


def _refer(old: Bundle, bundle: Bundle, stored: Published) -> None:
    defaults = {"storage_name": stored.storage_name, "size_bytes": stored.size_bytes}
    BundlePatch.objects.get_or_create(from_bundle=old, to_bundle=bundle, defaults=defaults)
