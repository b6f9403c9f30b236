"""What second factors are made of is sealed in the database: who reads it, or a backup of it, can make no codes.

The key is derived from SECRET_KEY. What an older one sealed (SECRET_KEY_FALLBACKS), or what was written before anything
was sealed, opens as well, and is sealed anew every night.
"""

import base64
from collections.abc import Callable
from functools import lru_cache

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

# No secret of an app (base 32) and no seed of recovery codes (hexadecimal) begins so.
_SEALED = "sealed:"
_PURPOSE = b"codepush: second factors"
# Where each kind of authenticator has what codes are made of.
_PLACES = {Authenticator.Type.TOTP.value: "secret", Authenticator.Type.RECOVERY_CODES.value: "seed"}


class CannotOpen(Exception):
    """It was sealed with a SECRET_KEY that is neither that of now nor among SECRET_KEY_FALLBACKS."""


def seal(text: str) -> str:
    return _SEALED + _derive(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(stored: str) -> str:
    """Raises CannotOpen."""
    if not stored.startswith(_SEALED):
        return stored
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if (text := _open(stored, key)) is not None:
            return text
    raise CannotOpen


def seal_all() -> tuple[int, int]:
    """Everything is sealed with SECRET_KEY itself, and opens without the fallbacks.

    (how many were not, how many cannot be opened and stay as they are). Safe to run twice at once.
    """
    return _rewrite_all(_seal_anew)


def unseal_all() -> tuple[int, int]:
    """Nothing is sealed, for a version of the product that cannot open it. Returns as `seal_all` does."""
    return _rewrite_all(unseal)


def _rewrite_all(rewrite: Callable[[str], str]) -> tuple[int, int]:
    written, closed = 0, 0
    for pk in Authenticator.objects.filter(type__in=_PLACES).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            # A code that is used up meanwhile is noted in the same column.
            authenticator = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if authenticator is None:
                continue
            place = _PLACES[authenticator.type]
            stored = authenticator.data[place]
            try:
                authenticator.data[place] = rewrite(stored)
            except CannotOpen:
                closed += 1
                continue
            if authenticator.data[place] != stored:
                authenticator.save(update_fields=["data"])
                written += 1
    return written, closed


def _seal_anew(stored: str) -> str:
    """As it is when it need not be: no row is written every night."""
    return stored if _open(stored, settings.SECRET_KEY) is not None else seal(unseal(stored))


def _open(stored: str, secret_key: str) -> str | None:
    """None for what this key did not seal."""
    if not stored.startswith(_SEALED):
        return None
    try:
        return _derive(secret_key).decrypt(stored.removeprefix(_SEALED)).decode()
    except InvalidToken:
        return None


@lru_cache
def _derive(secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
