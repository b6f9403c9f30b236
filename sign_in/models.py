"""How people get in: invitations that wait for an answer, and the sessions that are open."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from builds.models import Project, Role


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class Invitation(models.Model):
    """A mail to somebody who may become a member. Its link names this row and its nonce, and is signed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(help_text="In lower case.")
    role = models.CharField(max_length=20, choices=Role)
    # Sent again, the invitation gets another one: the link before is dead.
    nonce = models.CharField(max_length=32, default=new_nonce)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a worker handed the mail over.")
    # How it ended.
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Two would be two roles for one person, and revoking one would leave the other.
            models.UniqueConstraint(
                fields=["project", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="an_invitation_ends_in_one_way"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.project}"


class OpenSession(models.Model):
    """A browser in which somebody is signed in. Without its row in `django_session` it means nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="open_sessions")
    # No foreign key: Django's own code deletes sessions, also that of the version before this one.
    session_key = models.CharField(max_length=40)
    browser = models.CharField(max_length=300, blank=True, help_text="What it calls itself.")
    address = models.CharField(max_length=45, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_key"], name="a_session_is_listed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.browser} at {self.address}"
