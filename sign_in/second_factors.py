"""The second factors of a person: what they have, which code is right, and what the audit log says of changes."""

import logging
from dataclasses import dataclass
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings as allauth_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import User
from django.db import transaction

from builds import audit
from builds.models import AuditAction
from builds.second_factor import FACTORS, list_factors
from sign_in import sessions
from sign_in.sealed import CannotOpen

logger = logging.getLogger(__name__)

# The next ones are made before these run out.
FEW_CODES = 3
_LAST_COUNTER = "last_counter"


@dataclass(frozen=True)
class Factors:
    """What a person has. `keys`: with their names."""

    app: Authenticator | None
    keys: list[tuple[Authenticator, str]]
    codes_left: int

    @property
    def has_any(self) -> bool:
        return bool(self.app or self.keys)

    @property
    def has_few_codes(self) -> bool:
        return self.has_any and self.codes_left < FEW_CODES


def find_by_code(user: User, code: str) -> Authenticator | None:
    """The authenticator app or the recovery codes that this code is of. It is used up: it is right once.

    In the database, unlike allauth's own memory of used codes: each web process would have one of its own.
    """
    with transaction.atomic():
        codes = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        own = Authenticator.objects.select_for_update().filter(user=user, type__in=codes)
        authenticator: Authenticator
        for authenticator in own.order_by("-type"):
            if _use(authenticator, code):
                authenticator.refresh_from_db()
                return authenticator
    return None


def _use(authenticator: Authenticator, code: str) -> bool:
    try:
        if authenticator.type == Authenticator.Type.TOTP:
            return _use_totp(authenticator, code)
        is_right: bool = RecoveryCodes(authenticator).validate_code(code)
    except CannotOpen:
        # No code is right then; the person's other factors may be.
        logger.exception("authenticator=%s was sealed with another SECRET_KEY", authenticator.pk)
        return False
    return is_right


def _use_totp(authenticator: Authenticator, code: str) -> bool:
    secret = decrypt(authenticator.data["secret"])
    for counter in yield_hotp_counters_from_time():
        is_right = compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter)))
        if is_right and counter > authenticator.data.get(_LAST_COUNTER, 0):
            authenticator.data[_LAST_COUNTER] = counter
            authenticator.save(update_fields=["data"])
            return True
    return False


def note_added(user: User, kind: str, *, session_key: str | None) -> None:
    """The newest of this kind is audited. With the first factor all other sessions end: they were opened without."""
    with transaction.atomic():
        authenticator = Authenticator.objects.filter(user=user, type=kind).latest("pk")
        audit.record(AuditAction.ACCOUNT_FACTOR_ADDED, actor=user, project=None, after=_describe(authenticator))
        if list_factors(user.pk).count() == 1:
            sessions.end_other_sessions(user, current_key=session_key)


def note_removed(user: User, authenticator: Authenticator) -> None:
    if authenticator.type in FACTORS:
        audit.record(AuditAction.ACCOUNT_FACTOR_REMOVED, actor=user, project=None, before=_describe(authenticator))


def note_codes_renewed(user: User) -> None:
    audit.record(AuditAction.ACCOUNT_CODES_RENEWED, actor=user, project=None)


def remove_all(user_id: int, *, actor: User) -> int:
    """The person signs in with the password alone, until they set up a factor again. For who lost theirs.

    Returns how many there were.
    """
    with transaction.atomic():
        user = User.objects.get(pk=user_id)
        own = Authenticator.objects.filter(user=user)
        lost = [_describe(authenticator) for authenticator in own if authenticator.type in FACTORS]
        own.delete()
        for factor in lost:
            before = {**factor, "username": user.get_username()}
            audit.record(AuditAction.ACCOUNT_FACTOR_REMOVED, actor=actor, project=None, before=before)
    return len(lost)


def describe_factors(user: User) -> Factors:
    """One query."""
    own = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((each for each in own if each.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        app=next((each for each in own if each.type == Authenticator.Type.TOTP), None),
        keys=[(each, _name_key(each)) for each in own if each.type == Authenticator.Type.WEBAUTHN],
        codes_left=_count_codes(codes) if codes else 0,
    )


def _count_codes(authenticator: Authenticator) -> int:
    """How many are left; without opening what they are made of."""
    used: int = authenticator.data["used_mask"]
    left: int = allauth_settings.RECOVERY_CODE_COUNT - used.bit_count()
    return left


def _describe(authenticator: Authenticator) -> dict[str, Any]:
    if authenticator.type == Authenticator.Type.TOTP:
        return {"factor": "Authenticator app"}
    return {"factor": "Security key", "name": _name_key(authenticator)}


def _name_key(authenticator: Authenticator) -> str:
    return str(authenticator.data["name"])
