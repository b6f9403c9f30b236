"""Tokens of the release API: made, shown once, checked at each request, revoked.

A token is `cpc_`, 36 random letters and digits, and a checksum of six: secret scanners find it with
`\\bcpc_[0-9A-Za-z]{42}\\b` and can tell a real one from a look-alike without asking anybody.
"""

import secrets
import string
import zlib
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from builds import audit
from builds.actors import TokenLimit, TokenUser
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Project, Role
from release_api.models import ApiToken

State = Literal["active", "expired", "revoked"]

PREFIX = "cpc_"
MAX_EXPIRY_DAYS = 3650
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS, _CHECKSUM_CHARACTERS = 36, 6
_LENGTH = len(PREFIX) + _RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS
# How exact "last used" is. Writing it at each request would double the cost of reads.
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


def create_token(
    *, actor: User, name: str, role: str, project: Project | None = None, expires_in_days: int | None = None
) -> tuple[ApiToken, str]:
    """A token of the actor, and its text, which is told now and never again.

    `project`: the only one it reaches, of which the actor is a member. `role`: the most it may do; in each project
    it may do what the actor's own role there allows as well. Raises InvalidInput.
    """
    name = name.strip()
    if not name or len(name) > 100 or "\0" in name:
        raise InvalidInput("Give the token a name of 1 to 100 characters that says what it is for.", field="name")
    if role not in Role.values:
        raise InvalidInput(f"{role!r} is not a role; use one of {', '.join(Role.values)}.", field="role")
    if expires_in_days is not None and not 1 <= expires_in_days <= MAX_EXPIRY_DAYS:
        raise InvalidInput(
            f"The token would expire after {expires_in_days} days; use 1 to {MAX_EXPIRY_DAYS:,}.",
            field="expires_in_days",
        )
    if project is not None and not Project.objects.visible_to(actor).filter(pk=project.pk).exists():
        raise InvalidInput(f"{actor.get_username()} is not a member of {project.name}.", field="project")
    text = _make_text()
    with transaction.atomic():
        token = ApiToken.objects.create(
            name=name,
            digest=_digest(text),
            ending=text[-4:],
            user_id=actor.pk,
            project=project,
            role=role,
            expires_at=timezone.now() + timedelta(days=expires_in_days) if expires_in_days else None,
        )
        _record(AuditAction.TOKEN_CREATED, token, actor)
    return token, text


def revoke_token(token: ApiToken, *, actor: User) -> ApiToken:
    """The token opens nothing from now on. Revoking it again changes nothing."""
    with transaction.atomic():
        now = timezone.now()
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            _record(AuditAction.TOKEN_REVOKED, token, actor)
        token.refresh_from_db(fields=["revoked_at"])
    return token


def revoke_token_by_token(token: ApiToken, *, actor: TokenUser) -> ApiToken:
    """As `revoke_token`, for a program: only one with all rights of its person may, and none locks itself out.

    Raises PermissionDenied, NotAllowedNow.
    """
    if actor.limit.role != Role.ADMIN:
        raise PermissionDenied("Only a token with the Admin role can revoke another token.")
    if token.pk == actor.limit.token_id:
        raise NotAllowedNow("This request came with that very token. Revoke it at the dashboard, or with another one.")
    return revoke_token(token, actor=actor)


def list_tokens_of(user: User) -> QuerySet[ApiToken]:
    """The user's own, newest first; to a token of one project only those of that project. One query."""
    tokens = ApiToken.objects.filter(user_id=user.pk, project__deleted_at=None).select_related("project")
    if isinstance(user, TokenUser) and user.limit.project_id is not None:
        tokens = tokens.filter(project_id=user.limit.project_id)
    return tokens.order_by("-id")


def list_tokens_in(project: Project) -> QuerySet[ApiToken]:
    """Those made for this project alone, by whomever, newest first. One query."""
    return ApiToken.objects.filter(project=project).select_related("user").order_by("-id")


def find_state(token: ApiToken, now: datetime) -> State:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "active"


def find_user(text: str, *, address: str) -> TokenUser | None:
    """Who acts with this token; None for one that is unknown, expired or revoked, or whose person is switched off.

    Two queries, and a third once a minute; none for what is no token at all. `address`: where the request came from.
    """
    if not is_well_formed(text):
        return None
    now = timezone.now()
    token = ApiToken.objects.filter(digest=_digest(text)).first()
    if token is None or find_state(token, now) != "active":
        return None
    user = TokenUser.objects.filter(pk=token.user_id, is_active=True).first()
    if user is None:
        return None
    user.limit = TokenLimit(token.pk, token.name, token.role, token.project_id)
    if token.last_used_at is None or token.last_used_at <= now - _USE_IS_NOTED_EVERY:
        _note_use(token, address, now)
    return user


def is_well_formed(text: str) -> bool:
    """Whether the checksum is right, as secret scanners compute it: CRC-32 of what stands before it, in base 62."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    return text[-_CHECKSUM_CHARACTERS:] == _make_checksum(text[:-_CHECKSUM_CHARACTERS])


def _note_use(token: ApiToken, address: str, now: datetime) -> None:
    # Conditional: of many requests at once, one writes.
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_IS_NOTED_EVERY)
    ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now, last_used_address=address[:45])


def _make_text() -> str:
    text = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return text + _make_checksum(text)


def _make_checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        rest, place = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[place] + digits
    return digits


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _record(action: AuditAction, token: ApiToken, actor: User) -> None:
    """In the log of each project that the token reaches: its members read it there."""
    mine = Project.objects.present().filter(memberships__user_id=token.user_id).order_by("pk")
    told = {"token": f"{token.name} (…{token.ending})", "role": token.role}
    if token.expires_at:
        told["expires"] = f"{token.expires_at:%Y-%m-%d}"
    is_new = action == AuditAction.TOKEN_CREATED
    for project in [token.project] if token.project else mine:
        audit.record(action, actor=actor, project=project, before={} if is_new else told, after=told if is_new else {})
