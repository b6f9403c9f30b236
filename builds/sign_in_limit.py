"""Passwords are not guessed: ten attempts for one name from one address, then one every minute and a half.

By name and address together: nobody can lock somebody else out. For each web process; a success begins anew.
"""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest

from builds.rate_limit import RateLimit
from telemetry import context, measures

ATTEMPTS = 10
SECONDS_PER_ATTEMPT = 90

attempts = RateLimit(1 / SECONDS_PER_ATTEMPT, burst=ATTEMPTS)


class LimitedBackend:
    """Signs nobody in. First in AUTHENTICATION_BACKENDS it keeps the others from looking at a password."""

    def authenticate(self, request: HttpRequest | None, username: str = "", **_: Any) -> None:
        if attempts.find_wait(_caller(username)):
            measures.RATE_LIMITED.labels("sign_in").inc()
            raise PermissionDenied


def describe_wait(username: str) -> str:
    """What to tell somebody who tried too often; "" when they may try on."""
    minutes = -(-attempts.find_wait(_caller(username)) // 60)
    if not minutes:
        return ""
    return f"Too many attempts for this name. Try again in {minutes:.0f} minute{'s' if minutes > 1 else ''}."


@receiver(user_login_failed)
def _count(credentials: dict[str, Any], **_: object) -> None:
    attempts.take(_caller(credentials.get("username", "")))


@receiver(user_logged_in)
def _begin_anew(user: User, **_: object) -> None:
    attempts.forget(_caller(user.get_username()))


def _caller(username: str) -> tuple[str, str]:
    return username.casefold(), context.current().get("address", "")
