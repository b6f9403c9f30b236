"""Uploaded archives that nobody will read again, as when a process was killed between a commit and a deletion."""

import logging
from datetime import timedelta

from django.utils import timezone

from deployments import bundle_storage
from deployments.models import CodePush, Upload

logger = logging.getLogger(__name__)

# An archive is stored just before its row is written; one that is older and has none will never get one.
UPLOAD_GRACE = timedelta(hours=1)
# A part has no row. The rest of it may be on its way for long, over a line that breaks.
PART_GRACE = timedelta(days=1)


def delete_leftover_uploads() -> None:
    """Stored are only the uploads of unfinished CodePushes, of failed ones (for a retry), those that wait for their
    CodePush and parts of one on its way (for a day), and those of the last hour.

    Costs three queries, a listing of the storage, and two requests to it per leftover. Raises StorageUnavailable.
    """
    # Its row first: from then on nobody can use it.
    Upload.objects.filter(expires_at__lte=timezone.now()).delete()
    stored = bundle_storage.list_uploads()
    # Read after the listing: what was created in between is in neither. And the waiting ones before the CodePushes:
    # one that is used in between is in both, and not in neither.
    still_needed = set(Upload.objects.values_list("storage_name", flat=True))
    still_needed.update(
        CodePush.objects.exclude(status__in=(CodePush.Status.SUCCESS, CodePush.Status.CANCELED)).values_list(
            "upload_name", flat=True
        )
    )
    now = timezone.now()
    for name in stored:
        grace = PART_GRACE if bundle_storage.is_part(name) else UPLOAD_GRACE
        try:
            if name in still_needed or bundle_storage.modified_at(name) > now - grace:
                continue
        except FileNotFoundError:
            # Its worker deleted it meanwhile.
            continue
        bundle_storage.delete(name)
        logger.info("upload=%s deleted: nobody needs it", name)
