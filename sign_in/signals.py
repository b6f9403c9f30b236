"""Sessions are listed from sign-in to sign-out, by whichever door."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from sign_in import sessions


@receiver(user_logged_in, dispatch_uid="sign_in.list_session")
def list_session(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.begin(request.session, user, browser=request.META.get("HTTP_USER_AGENT", ""))


@receiver(user_logged_out, dispatch_uid="sign_in.forget_session")
def forget_session(request: HttpRequest, **_: Any) -> None:
    if request.session.session_key:
        sessions.forget(request.session.session_key)
