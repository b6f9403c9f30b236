"""A request that carries a key is done once, however often it is sent: by a double click, or after a broken line."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import DoneRequest

# Whoever has not seen the answer after a day no longer waits for it.
KEPT_FOR = timedelta(days=1)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(NotAllowedNow):
    """The key came before, with other values (409)."""


class KeyedRequest(NamedTuple):
    """`scope`: what keys are unique within, beside the actor; an address. `request_hash`: of what is asked for."""

    actor: User
    scope: str
    key: str
    request_hash: str


def find_answer(request: KeyedRequest) -> str | None:
    """The address that this request led to, if it was done. Raises InvalidInput (no usable key), KeyReused."""
    if not _KEY.fullmatch(request.key):
        raise InvalidInput("The key of the request must have 1 to 255 visible ASCII characters. Use a UUID.")
    known = DoneRequest.objects.filter(actor=request.actor, scope=request.scope, key=request.key)
    done = known.filter(created_at__gt=timezone.now() - KEPT_FOR).first()
    if done is not None and done.request_hash != request.request_hash:
        raise KeyReused(f"This was sent before with other values, and led to {done.answer}. Check them and send again.")
    return done.answer if done else None


def do_once(request: KeyedRequest, act: Callable[[], str]) -> str:
    """The address that `act` returned, now or when this request came first. Act and answer are in one transaction.

    One that comes while the first still runs waits for it. When `act` raises, nothing is kept: the key is free again.
    Raises as `find_answer` does.
    """
    with transaction.atomic():
        DoneRequest.objects.filter(actor=request.actor, created_at__lte=timezone.now() - KEPT_FOR).delete()
        if answer := find_answer(request):
            return answer
        try:
            with transaction.atomic():
                done = DoneRequest.objects.create(**request._asdict())
        except IntegrityError:
            return find_answer(request) or ""
        done.answer = act()
        done.save(update_fields=["answer"])
        return done.answer
