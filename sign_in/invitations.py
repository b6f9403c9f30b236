"""Invitations to a project: a mail with a link that is good once, for a week."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from builds import audit
from builds.cleaning import require_clean_fields
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Membership, Project, Role
from sign_in import limits
from sign_in.models import Invitation, new_nonce

VALID_FOR = timedelta(days=7)

_signer = Signer(salt="sign_in.invitation")


def list_open(project: Project) -> QuerySet[Invitation]:
    """Invitations without an answer, also those that have expired, by address. One query."""
    waiting = Invitation.objects.filter(project=project, accepted_at=None, revoked_at=None)
    return waiting.select_related("invited_by").order_by("email")


def invite(project_id: int, *, actor: User, email: str, role: str) -> Invitation:
    """Somebody is invited; the mail is still to be sent. An invitation to the address that expired begins anew.

    Raises InvalidInput for what is no address or role, for a member, and for somebody who is invited already;
    NotAllowedNow for somebody who sent very many.
    """
    if role not in Role.values:
        raise InvalidInput(f"{role!r} is not a role. Use one of {', '.join(Role.values)}.", field="role")
    now = timezone.now()
    invitation = Invitation(email=email.strip().lower(), role=role, invited_by=actor, expires_at=now + VALID_FOR)
    require_clean_fields(invitation, ["email"])
    with transaction.atomic():
        # no_key: builds and audit entries of the project, which point to this row, go on meanwhile.
        project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
        _require_newcomer(project, invitation.email)
        before = list_open(project).filter(email=invitation.email).first()
        if before is not None and before.expires_at > now:
            raise InvalidInput(f"{before.email} is invited already. Send it again from the list.", field="email")
        limits.take_invitation(actor.pk)
        if before is not None:
            before.delete()
        invitation.project = project
        invitation.save()
        after = {"email": invitation.email, "role": role}
        audit.record(AuditAction.MEMBER_INVITED, actor=actor, project=project, after=after)
    return invitation


def invite_again(invitation_id: int, *, actor: User) -> Invitation:
    """A new link, good for another week, is to be sent; the one before is dead. Raises NotAllowedNow."""
    limits.take_invitation(actor.pk)
    with _locked(invitation_id) as invitation:
        invitation.nonce = new_nonce()
        invitation.expires_at = timezone.now() + VALID_FOR
        invitation.sent_at = None
        invitation.save(update_fields=["nonce", "expires_at", "sent_at"])
        _record(AuditAction.MEMBER_INVITED_AGAIN, invitation, actor)
    return invitation


def revoke(invitation_id: int, *, actor: User) -> Invitation:
    """The link is dead. Raises NotAllowedNow for an invitation that has ended."""
    with _locked(invitation_id) as invitation:
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        _record(AuditAction.MEMBER_INVITATION_REVOKED, invitation, actor)
    return invitation


def sign(invitation: Invitation) -> str:
    """What its link carries. The database alone does not tell it."""
    return _signer.sign(f"{invitation.pk}.{invitation.nonce}").replace(":", "~")


def find(signed: str) -> Invitation:
    """The invitation that a link names. Two queries at most. Raises NotAllowedNow, saying why it is dead."""
    try:
        invitation_id, nonce = _signer.unsign(signed.replace("~", ":")).split(".", 1)
    except (BadSignature, ValueError) as broken:
        raise NotAllowedNow("This link is not whole. Copy all of it from the mail.") from broken
    invitations = Invitation.objects.select_related("project", "invited_by")
    invitation = invitations.filter(pk=int(invitation_id)).first()
    if invitation is None:
        raise NotAllowedNow("This invitation is not there any more. Ask for another one.")
    if invitation.nonce != nonce:
        raise NotAllowedNow("This invitation was sent again: use the link in the latest mail.")
    _require_open(invitation)
    return invitation


def accept(invitation_id: int, *, user: User) -> Membership:
    """The person is a member with the role of the invitation, which is used up. A member keeps the role they have.

    Raises NotAllowedNow for an invitation that has ended, and for somebody with another address.
    """
    with _locked(invitation_id) as invitation:
        if user.email.lower() != invitation.email:
            raise NotAllowedNow(f"This invitation is for {invitation.email}.")
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
        member, is_new = Membership.objects.get_or_create(
            project=invitation.project, user=user, defaults={"role": invitation.role}
        )
        if is_new:
            _record(AuditAction.MEMBER_JOINED, invitation, user)
    return member


def _require_newcomer(project: Project, email: str) -> None:
    if Membership.objects.filter(project=project, user__email__iexact=email).exists():
        raise InvalidInput(f"{email} is a member of {project} already.", field="email")


def _require_open(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise NotAllowedNow("This invitation was used. Sign in: the project is among yours.")
    if invitation.revoked_at:
        raise NotAllowedNow(f"This invitation was taken back. Ask an admin of {invitation.project}.")
    if invitation.expires_at <= timezone.now():
        raise NotAllowedNow(f"This invitation was good until {invitation.expires_at:%-d %B %Y}. Ask for another one.")


@contextmanager
def _locked(invitation_id: int) -> Iterator[Invitation]:
    """The invitation as it stands under its lock, and that of its project. Raises NotAllowedNow if it has ended."""
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation_id)
        project_id = rows.values_list("project_id", flat=True).first()
        if project_id is not None:
            # As every change of members: first the project.
            Project.objects.select_for_update(no_key=True).get(pk=project_id)
        invitation = rows.select_related("project").first()
        if invitation is None:
            raise NotAllowedNow("This invitation is not there any more. Reload the page.")
        if invitation.accepted_at or invitation.revoked_at:
            raise NotAllowedNow(f"The invitation of {invitation.email} has ended. Reload the page.")
        yield invitation


def _record(action: AuditAction, invitation: Invitation, actor: User) -> None:
    after = {"email": invitation.email, "role": invitation.role}
    audit.record(action, actor=actor, project=invitation.project, after=after)
