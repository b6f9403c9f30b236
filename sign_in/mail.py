"""Mails to people. A worker sends them: no page waits for a mail server, or tells by its pace who has an account."""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from builds.actors import name_person
from sign_in import accounts, invitations
from sign_in.models import Invitation

logger = logging.getLogger(__name__)


def send_password_reset(email: str, *, server: str) -> None:
    """A link for each active account with this address and a password; none for nobody."""
    for user in User.objects.filter(email__iexact=email, is_active=True).order_by("pk"):
        if not user.has_usable_password():
            continue
        named = {
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "reset_token": default_token_generator.make_token(user),
        }
        url = server + reverse("password_reset", kwargs=named)
        _send("password_reset", "Your password", user.email, {"user": user, "url": url, "server": server})


def send_email_change(user_id: int, email: str, *, server: str) -> None:
    """A link to the new address, which proves that it is the person's own."""
    signed = accounts.sign_email_change(user_id, email)
    url = server + reverse("account_email_confirm", args=[signed])
    _send("email_change", "Your e-mail address", email, {"url": url, "server": server})


def send_invitation(invitation_id: int, *, server: str) -> None:
    """The link to an invitation that is still open; it says when it was sent. Twice does no harm."""
    invitation = Invitation.objects.select_related("project", "invited_by").filter(pk=invitation_id).first()
    if invitation is None or invitation.accepted_at or invitation.revoked_at:
        return
    url = server + reverse("invitation", args=[invitations.sign(invitation)])
    inviter = name_person(invitation.invited_by) if invitation.invited_by else "An admin"
    told = {"invitation": invitation, "inviter": inviter, "url": url, "server": server}
    _send("invitation", f"{invitation.project}: invitation", invitation.email, told)
    Invitation.objects.filter(pk=invitation_id, nonce=invitation.nonce).update(sent_at=timezone.now())


def send_notice(address: str, told: dict[str, str]) -> None:
    """That what an account is signed in with has changed."""
    when = datetime.fromisoformat(told["at"])
    _send("account_changed", told["sentence"].rstrip("."), address, {**told, "at": when, "server": settings.PUBLIC_URL})


def _send(template: str, subject: str, to: str, told: dict[str, Any]) -> None:
    text = render_to_string(f"mail/{template}.txt", told)
    # A name with a line end would be a header of its own.
    subject = " ".join(f"{subject} · CodePush Console".split())
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    if settings.EMAIL_URL:
        logger.info("mail sent: %s", template)
    else:
        # Loud enough to be seen: somebody waits for it.
        logger.warning("EMAIL_URL is not set; the mail (%s) is a file in %s", template, settings.EMAIL_FILE_PATH)
