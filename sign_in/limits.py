"""Passwords and codes are not guessed: ten attempts for one name from one address, then one every minute and a half.

By name and address together: nobody can lock somebody else out. Codes are counted by account, because who may try one
knows the password. For each web process; a success begins anew.
"""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest

from builds.errors import NotAllowedNow
from builds.rate_limit import RateLimit
from telemetry import context, measures

ATTEMPTS = 10
SECONDS_PER_ATTEMPT = 90

attempts = RateLimit(1 / SECONDS_PER_ATTEMPT, burst=ATTEMPTS)
# Of one account.
codes = RateLimit(1 / SECONDS_PER_ATTEMPT, burst=ATTEMPTS)
# Mails that somebody without an account can cause: to one address, and from one.
mails_to = RateLimit(1 / 900, burst=3)
mails_from = RateLimit(1 / 60, burst=20)
# Of one person.
invitations = RateLimit(1 / 60, burst=50)


class LimitedBackend:
    """Signs nobody in. First in AUTHENTICATION_BACKENDS it keeps the others from looking at a password."""

    def authenticate(self, request: HttpRequest | None, username: str = "", **_: Any) -> None:
        if attempts.find_wait(_caller(username)):
            measures.RATE_LIMITED.labels("sign_in").inc()
            raise PermissionDenied


def describe_wait(username: str) -> str:
    """What to tell somebody who tried too often; "" when they may try on."""
    return _tell_wait("Too many attempts for this name.", attempts.find_wait(_caller(username)))


def take_code_attempt(user_id: int) -> str:
    """Count an attempt at a code of this account. Returns what to tell whoever tried too often; "": try it."""
    if codes.take(user_id):
        return ""
    measures.RATE_LIMITED.labels("code").inc()
    return _tell_wait("Too many wrong codes.", codes.find_wait(user_id))


def take_mail(email: str) -> None:
    """Count a mail that is about to be asked for. Raises NotAllowedNow, whether or not somebody has this address."""
    to, caller = email.casefold(), context.current().get("address", "")
    wait = max(mails_to.find_wait(to), mails_from.find_wait(caller))
    if wait:
        measures.RATE_LIMITED.labels("mail").inc()
        raise NotAllowedNow(_tell_wait("Too many mails were asked for.", wait))
    mails_to.take(to)
    mails_from.take(caller)


def take_invitation(user_id: int) -> None:
    """Count an invitation. Raises NotAllowedNow for somebody who sent very many."""
    if not invitations.take(user_id):
        measures.RATE_LIMITED.labels("invitation").inc()
        raise NotAllowedNow(_tell_wait("You sent very many invitations.", invitations.find_wait(user_id)))


@receiver(user_login_failed)
def _count(credentials: dict[str, Any], **_: object) -> None:
    attempts.take(_caller(credentials.get("username", "")))


@receiver(user_logged_in)
def _begin_anew(user: User, **_: object) -> None:
    attempts.forget(_caller(user.get_username()))


def _tell_wait(what: str, seconds: float) -> str:
    minutes = -(-seconds // 60)
    return f"{what} Try again in {minutes:.0f} minute{'s' if minutes > 1 else ''}." if minutes else ""


def _caller(username: str) -> tuple[str, str]:
    return username.casefold(), context.current().get("address", "")
