"""Work on reports that runs in a Celery worker. Safe to run twice at once, and to lose: the next one goes on."""

from celery import shared_task

from metrics import aggregation


@shared_task(name="metrics.apply_reports")
def apply_reports() -> None:
    aggregation.apply_waiting_reports()
