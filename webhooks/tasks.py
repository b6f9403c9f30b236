"""Work for webhooks that runs in a Celery worker. Safe to run twice, and to lose: the next sweep goes on."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerUnavailable

from builds.clock import read_clock
from webhooks import alerts, deliveries

logger = logging.getLogger(__name__)


# In a queue of its own (settings): receivers that do not answer must not keep a CodePush waiting.
@shared_task(name="webhooks.deliver", expires=10)
def deliver(delivery_id: int) -> None:
    """No Celery retry: when to try again stands in the database."""
    deliveries.attempt_delivery(delivery_id)


@shared_task(name="webhooks.queue_due")
def queue_due() -> None:
    """Call workers for what is due. Claims are exclusive, so a message too many does nothing."""
    try:
        for delivery_id in deliveries.list_due_ids():
            deliver.delay(delivery_id)
    except (BrokerUnavailable, OSError) as error:
        logger.warning("deliveries not queued (%s); the next sweep will", error)


@shared_task(name="webhooks.raise_alerts")
def raise_alerts() -> None:
    alerts.raise_alerts()


@shared_task(name="webhooks.keep_house")
def keep_house() -> None:
    """No Celery retry: the next day is as good."""
    logger.info("deliveries_deleted=%s", deliveries.delete_old_deliveries(read_clock()))
