"""A request that carries a key is done once, however often it is sent: by a double click, or by a script that retries."""

import re
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import DoneRequest

# Whoever has not seen the answer after a day no longer waits for it.
KEPT_FOR = timedelta(days=1)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(NotAllowedNow):
    """The key came before, with other values (409)."""


def do_once(act: Callable[[], str], *, actor: User, scope: str, key: str, request_hash: str) -> str:
    """What `act` returned (an address), now or when the key came first. Done and remembered in one transaction.

    `scope`: what keys are unique within, beside the actor; an address. A resend that overtakes the first request waits
    for it. When `act` raises, nothing is remembered: the request may be sent again with the same key.
    Raises InvalidInput (no usable key), KeyReused.
    """
    if not _KEY.fullmatch(key):
        raise InvalidInput("The key of the request must have 1 to 255 visible ASCII characters. Use a UUID.")
    with transaction.atomic():
        DoneRequest.objects.filter(actor=actor, created_at__lt=timezone.now() - KEPT_FOR).delete()
        done, is_new = DoneRequest.objects.get_or_create(
            actor=actor, scope=scope, key=key, defaults={"request_hash": request_hash}
        )
        if is_new:
            done.answer = act()
            done.save(update_fields=["answer"])
        elif done.request_hash != request_hash:
            raise KeyReused(
                f"This was sent before with other values, and led to {done.answer}. Check them; send again."
            )
        return done.answer
