"""House-keeping of the release API."""

from celery import shared_task

from release_api import idempotency


@shared_task(name="release_api.delete_expired_answers")
def delete_expired_answers() -> None:
    """No Celery retry: expired answers are never given, and the next round deletes them as well."""
    idempotency.delete_expired_answers()
