"""Work on reports that runs in a Celery worker. Safe to run twice at once, and to lose: the next one goes on."""

import logging

from celery import shared_task

from builds.clock import read_clock
from metrics import aggregation, project_purge, retention, rollup

logger = logging.getLogger(__name__)


@shared_task(name="metrics.apply_reports")
def apply_reports() -> None:
    aggregation.apply_waiting_reports()


@shared_task(name="metrics.purge_deleted_projects")
def purge_deleted_projects() -> None:
    """No Celery retry: the next night goes on."""
    project_purge.purge_deleted_projects(read_clock())


@shared_task(name="metrics.keep_house")
def keep_house() -> None:
    """History is rolled up, and what is older than its retention is gone. No Celery retry: the next run does it."""
    now = read_clock()
    devices = retention.retire_silent_devices(now)
    retention.forget_unused_software()
    rollup.roll_up(now)
    entries = retention.delete_old_entries(now)
    logger.info("metrics kept: devices_retired=%s entries_deleted=%s", devices, entries)
