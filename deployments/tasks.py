"""Work that runs in a Celery worker. Each task is safe to run twice, and to lose: the sweep finds what was lost."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerUnavailable

from builds.clock import read_clock
from deployments.services import leftovers, processing, waiting

logger = logging.getLogger(__name__)


# A message that waited this long was queued again by the sweep many times over.
@shared_task(name="deployments.process_codepush", expires=3600)
def process_codepush(codepush_id: int) -> None:
    """No Celery retry: a worker that dies is replaced through the sweep, a bundle that is wrong fails in words."""
    processing.process_codepush(codepush_id)


@shared_task(name="deployments.requeue_unfinished")
def requeue_unfinished() -> None:
    """Queue again what no living worker has. Claims are exclusive, so a message too many does nothing."""
    for codepush_id in processing.list_claimable_ids():
        queue_processing(codepush_id)


@shared_task(name="deployments.delete_leftover_uploads")
def delete_leftover_uploads() -> None:
    """No Celery retry: the next round is as good."""
    leftovers.delete_leftover_uploads(read_clock())


@shared_task(name="deployments.delete_leftover_bundles")
def delete_leftover_bundles() -> None:
    """No Celery retry: the next night is as good."""
    leftovers.delete_leftover_bundles(read_clock())


@shared_task(name="deployments.expire_change_requests")
def expire_change_requests() -> None:
    """No Celery retry: the next round is as good. Until then approving finds out by itself."""
    waiting.expire_overdue()


def queue_processing(codepush_id: int) -> None:
    """A worker will take the CodePush: at once if the broker takes the message, else after the next sweep."""
    try:
        process_codepush.delay(codepush_id)
    except (BrokerUnavailable, OSError) as error:
        logger.warning("codepush=%s not queued (%s); the sweep will", codepush_id, error)
