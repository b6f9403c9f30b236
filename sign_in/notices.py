"""Who owns an account is told by mail when what they sign in with has changed: whoever did it, and on whichever page.

Follows the audit log, so nothing that is audited goes untold. Told once the change is committed.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import receiver

from builds.audit import recorded
from builds.errors import NotAllowedNow
from builds.models import AuditAction, AuditEntry
from sign_in import tasks

logger = logging.getLogger(__name__)


def _name_factor(factor: dict[str, Any]) -> str:
    return ", ".join(str(factor[name]) for name in ("factor", "name") if name in factor)


# {action: what happened, in words}.
_SENTENCES: dict[str, Callable[[AuditEntry], str]] = {
    AuditAction.ACCOUNT_PASSWORD_CHANGED: lambda _: "The password was changed.",
    AuditAction.ACCOUNT_PASSWORD_RESET: lambda _: "The password was replaced, by the link in a mail to this address.",
    AuditAction.ACCOUNT_EMAIL_CHANGED: lambda entry: (
        f"The e-mail address was changed to {entry.after['email']}."
        if entry.after["email"]
        else "The e-mail address was removed."
    ),
    AuditAction.ACCOUNT_FACTOR_ADDED: lambda entry: f"A second factor was added: {_name_factor(entry.after)}.",
    AuditAction.ACCOUNT_FACTOR_REMOVED: lambda entry: f"A second factor was removed: {_name_factor(entry.before)}.",
    AuditAction.ACCOUNT_CODES_RENEWED: lambda _: "The recovery codes were replaced. The old ones are good no more.",
    AuditAction.ACCOUNT_LINKED: lambda _: "Single sign-on was added to the ways to sign in.",
}


@receiver(recorded, dispatch_uid="sign_in.tell_owner")
def tell_owner(*, entry: AuditEntry, **_: Any) -> None:
    """No query but for what the support did."""
    if entry.action not in _SENTENCES:
        return
    owner = _find_owner(entry)
    # Of a new address its owner knows; who has lost the account hears of it at the old one.
    address = entry.before["email"] if entry.action == AuditAction.ACCOUNT_EMAIL_CHANGED else owner and owner.email
    if owner is None or not address:
        return
    by = "" if entry.actor_id == owner.pk else entry.actor_name
    told = {
        "username": owner.get_username(),
        "sentence": _SENTENCES[entry.action](entry),
        "by": by,
        # Where the support sits is nobody's business.
        "client": "" if by else entry.address,
        "at": entry.created_at.isoformat(),
    }
    transaction.on_commit(partial(_queue, address, told))


def _find_owner(entry: AuditEntry) -> User | None:
    """Of their own account entries name nobody; what the support does to another one names it."""
    if "username" in entry.before:
        return User.objects.filter(username=entry.before["username"]).first()
    return entry.actor


def _queue(address: str, told: dict[str, str]) -> None:
    try:
        tasks.queue(tasks.send_notice, address, told)
    except NotAllowedNow:
        # The change stands; the account page lists it.
        logger.warning("no notice was sent: no message can be left for a worker")
