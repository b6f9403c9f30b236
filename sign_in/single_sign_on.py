"""Who somebody is that the identity provider (OIDC) sends: one of our accounts, a new one, or nobody."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from builds import audit
from builds.errors import NotAllowedNow
from builds.models import AuditAction
from sign_in import accounts


class Claims(NamedTuple):
    """What the provider says of a person. `email`: "" unless it says that it has verified the address."""

    email: str
    first_name: str
    last_name: str


def read_claims(told: Mapping[str, Any]) -> Claims:
    """Of the ID token and, where there is one, the answer of its userinfo endpoint. Raises NotAllowedNow."""
    token, info = told.get("id_token") or {}, told.get("userinfo") or {}
    if token and info and token.get("sub") != info.get("sub"):
        # OpenID Connect Core 5.3.2: then it is the answer for somebody else.
        raise NotAllowedNow(f"{settings.OIDC_NAME} named two different people. Try again.")
    said = {**token, **info}
    # True, not "true" or 1: what is not clearly said is not said.
    email = said.get("email") if said.get("email_verified") is True else ""
    first_name, _, last_name = str(said.get("name") or "").partition(" ")
    return Claims(
        email=str(email or "").strip(),
        first_name=str(said.get("given_name") or first_name)[:150],
        last_name=str(said.get("family_name") or last_name)[:150],
    )


def find_or_create_account(said: Claims) -> User:
    """The account with this address, else a new one without any role, where OIDC_CREATES_ACCOUNTS allows that.

    Raises NotAllowedNow, in words, for whoever may not come in.
    """
    name = settings.OIDC_NAME
    if not said.email:
        raise NotAllowedNow(f"{name} has not verified your e-mail address, so nobody here knows who you are.")
    with transaction.atomic():
        found = list(User.objects.filter(email__iexact=said.email)[:2])
        if len(found) > 1:
            raise NotAllowedNow(f"Several accounts here have the address {said.email}. Ask who runs this server.")
        if found:
            user = found[0]
            if not user.is_active:
                raise NotAllowedNow("This account is switched off. Ask who runs this server.")
        elif not settings.OIDC_CREATES_ACCOUNTS:
            raise NotAllowedNow(f"Nobody here has the address {said.email}. Ask an admin to invite you.")
        else:
            user = accounts.create_account(**said._asdict(), password=None, source=name)
        audit.record(AuditAction.ACCOUNT_LINKED, actor=user, project=None, after={"email": said.email, "by": name})
    return user
