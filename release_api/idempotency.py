"""Requests that may be sent twice act once: the answer is stored in the transaction of the effect, for a day.

A process that dies in between leaves neither, and the next request acts. One that comes while the first still runs
waits for it at the unique key.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from builds.errors import NotAllowedNow
from release_api.models import StoredAnswer

KEPT_FOR = timedelta(days=1)


class Answer(NamedTuple):
    """A status, and plain JSON values."""

    status: int
    body: dict[str, Any]


class KeyReused(NotAllowedNow):
    """The key came before, with another request (409)."""


def answer_once(token_id: int, key: str, request_sha256: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers; if this request was answered before, that answer. `act` tells refusals, too, as answers.

    Costs three queries on top. Raises KeyReused when the key came with another request.
    """
    mine = StoredAnswer.objects.filter(token_id=token_id, key=key)
    with transaction.atomic():
        mine.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                stored = StoredAnswer.objects.create(token_id=token_id, key=key, request_sha256=request_sha256)
        except IntegrityError:
            return _repeat(mine.get(), request_sha256)
        answer = act()
        StoredAnswer.objects.filter(pk=stored.pk).update(status=answer.status, body=json.dumps(answer.body))
        return answer


def _repeat(stored: StoredAnswer, request_sha256: str) -> Answer:
    if stored.request_sha256 != request_sha256:
        raise KeyReused(
            f"The Idempotency-Key {stored.key!r} came before, with another request. Use a new key for a new request.",
            field="Idempotency-Key",
        )
    return Answer(stored.status, json.loads(stored.body))


def delete_expired_answers() -> int:
    """Answers older than a day are gone; how many there were."""
    return StoredAnswer.objects.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()[0]
