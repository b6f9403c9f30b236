"""House-keeping of the release API."""

from celery import shared_task
from django.utils import timezone

from builds.idempotency import KEPT_FOR
from release_api.models import StoredAnswer


@shared_task(name="release_api.delete_expired_answers")
def delete_expired_answers() -> None:
    """Empties the table that nothing writes to any more. Goes with it."""
    StoredAnswer.objects.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()
