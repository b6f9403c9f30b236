"""The browsers in which a person is signed in: listed, and ended one by one or all others at once."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from builds import audit
from builds.models import AuditAction
from sign_in.models import OpenSession
from telemetry import context

# How exact "last seen" is. Writing it at each request would cost more than most pages do.
SEEN_EVERY_SECONDS = 300
_SEEN_AT = "seen_at"
_BROWSER_LENGTH = 300


def list_sessions(user: User) -> QuerySet[OpenSession]:
    """Those in which the person is signed in, last seen first. One query."""
    return OpenSession.objects.filter(user=user, session_key__in=_living()).order_by("-last_seen_at", "-id")


def begin(session: SessionBase, user: User, *, browser: str) -> None:
    """The session is listed. What is left of ended ones of this person is cleared away."""
    if not session.session_key:
        session.save()
    OpenSession.objects.filter(user=user).exclude(session_key__in=_living()).delete()
    _write(session, user.pk, browser, timezone.now())


def note_seen(session: SessionBase, user_id: int, *, browser: str) -> None:
    """The person was here, exact to SEEN_EVERY_SECONDS. No query while that is known."""
    now = timezone.now()
    if now.timestamp() - session.get(_SEEN_AT, 0) >= SEEN_EVERY_SECONDS:
        _write(session, user_id, browser, now)


def rename(old_key: str, new_key: str) -> None:
    """The session goes on under another key: a copy of the old one is worth nothing."""
    OpenSession.objects.filter(session_key=old_key).update(session_key=new_key)


def forget(session_key: str) -> None:
    OpenSession.objects.filter(session_key=session_key).delete()


def end_session(session_id: int, *, actor: User) -> bool:
    """The person is signed out there. False when they were already."""
    with transaction.atomic():
        session = list_sessions(actor).filter(pk=session_id).first()
        if session is None:
            return False
        _end([session])
        _record(actor, {"browser": session.browser, "address": session.address})
    return True


def end_other_sessions(user: User, *, current_key: str | None) -> int:
    """The person is signed out everywhere but in this session (None: everywhere). Returns in how many."""
    with transaction.atomic():
        others = list(list_sessions(user).exclude(session_key=current_key or ""))
        if others:
            _end(others)
            _record(user, {"sessions": len(others)})
    return len(others)


def _living() -> QuerySet[Session, str]:
    return Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_key", flat=True)


def _write(session: SessionBase, user_id: int, browser: str, now: datetime) -> None:
    OpenSession.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user_id": user_id,
            "browser": browser[:_BROWSER_LENGTH].replace("\0", ""),
            "address": context.current().get("address", ""),
            "last_seen_at": now,
        },
    )
    session[_SEEN_AT] = int(now.timestamp())


def _end(sessions: Iterable[OpenSession]) -> None:
    keys = [session.session_key for session in sessions]
    Session.objects.filter(session_key__in=keys).delete()
    OpenSession.objects.filter(session_key__in=keys).delete()


def _record(user: User, before: dict[str, object]) -> None:
    audit.record(AuditAction.ACCOUNT_SESSION_ENDED, actor=user, project=None, before=before)
