"""A request that carries a key is done once, however often it is sent: by a double click, or after a broken line.

Forms and the release API alike. What was done, and what it led to, are committed together: a process that dies in
between leaves neither, and the next request acts. One that comes while the first still runs waits for it.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import DoneRequest

# Whoever has not seen the answer after a day no longer waits for it.
KEPT_FOR = timedelta(days=1)
KEY_PATTERN = "^[!-~]{1,255}$"
_KEY = re.compile(KEY_PATTERN)
_ROWS_PER_BATCH = 1000


class KeyReused(NotAllowedNow):
    """The key came before, with another request (409), which led to `answer`."""

    def __init__(self, key: str, answer: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} came before, with another request. Use a new key for a new request.",
            field="Idempotency-Key",
        )
        self.answer = answer


class KeyedRequest(NamedTuple):
    """`scope`: what keys are unique within, beside the actor: an address, or a token.

    `request_hash`: of what is asked for.
    """

    actor: User
    scope: str
    key: str
    request_hash: str


def require_key(key: str) -> None:
    """Raises InvalidInput for what is no key."""
    # "$" alone would let a line break pass.
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            "The Idempotency-Key has 1 to 255 visible ASCII characters. Use a UUID.", field="Idempotency-Key"
        )


def find_answer(request: KeyedRequest) -> str | None:
    """What this request led to, if it was done. One query. Raises InvalidInput (no usable key), KeyReused."""
    require_key(request.key)
    done = _with_key(request).filter(created_at__gt=Now() - KEPT_FOR).first()
    return _repeat(done, request) if done else None


def do_once(request: KeyedRequest, act: Callable[[], str]) -> str:
    """What `act` returned, now or when this request came first. Act and answer are in one transaction.

    One that comes while the first still runs waits for it. When `act` raises, nothing is kept: the key is free again.
    Costs four queries on top. Raises as `find_answer` does.
    """
    with transaction.atomic():
        if (answer := find_answer(request)) is not None:
            return answer
        _with_key(request).filter(created_at__lte=Now() - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                done = DoneRequest.objects.create(**request._asdict())
        except IntegrityError:
            return _repeat(_with_key(request).get(), request)
        done.answer = act()
        done.save(update_fields=["answer"])
        return done.answer


def forget_old_requests() -> int:
    """No request is remembered for longer than a day. Returns how many went. In short transactions."""
    old = DoneRequest.objects.filter(created_at__lte=Now() - KEPT_FOR)
    forgotten = 0
    while ids := list(old.order_by("created_at").values_list("pk", flat=True)[:_ROWS_PER_BATCH]):
        forgotten += DoneRequest.objects.filter(pk__in=ids).delete()[0]
    return forgotten


def _with_key(request: KeyedRequest) -> "QuerySet[DoneRequest]":
    return DoneRequest.objects.filter(actor=request.actor, scope=request.scope, key=request.key)


def _repeat(done: DoneRequest, request: KeyedRequest) -> str:
    if done.request_hash != request.request_hash:
        raise KeyReused(request.key, done.answer)
    return done.answer
