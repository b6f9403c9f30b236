"""Whether a person has a second factor: an authenticator app or a security key. Recovery codes alone are none."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def list_factors(user_id: int | None) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user_id=user_id, type__in=FACTORS)


def has_second_factor(user_id: int | None) -> bool:
    """One query."""
    return list_factors(user_id).exists()


def is_open_to(user_id: int | None) -> Q:
    """The condition on a project: it asks for no second factor, or this person has one."""
    return Q(needs_second_factor=False) | Q(Exists(list_factors(user_id)))


def has_factor_of(user: str) -> Exists:
    """The same, of the account that this field of the outer query names."""
    return Exists(Authenticator.objects.filter(user_id=OuterRef(user), type__in=FACTORS))
