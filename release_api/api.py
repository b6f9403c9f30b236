"""The tokens of a person over the release API: listed and revoked. They are made by people, at the dashboard."""

from datetime import datetime
from typing import Annotated, Self

from django.http import Http404
from django.utils import timezone
from ninja import Path, Router, Schema
from pydantic import Field

from release_api import tokens
from release_api.models import FINGERPRINT_LENGTH, ApiToken
from release_api.operations import ApiRequest, read, write
from release_api.schemas import Limit, Offset, Page, RoleName, cut

router = Router(tags=["Tokens"])
_Fingerprint = Annotated[str, Path(pattern=f"^[0-9a-f]{{{FINGERPRINT_LENGTH}}}$")]


class TokenOut(Schema):
    id: str = Field(description="The first 16 hexadecimal digits of its SHA-256.")
    name: str
    ending: str = Field(description="Its last four characters.")
    project: str | None = Field(description="Slug of the only project it reaches.")
    role: RoleName = Field(description="The most it may do.")
    state: tokens.State
    is_current: bool = Field(description="It is the one that this request came with.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str

    @classmethod
    def of(cls, token: ApiToken, current_id: int) -> Self:
        own = set(cls.model_fields) - {"id", "project", "state", "is_current"}
        return cls(
            id=token.fingerprint,
            project=token.project.slug if token.project else None,
            state=tokens.find_state(token, timezone.now()),
            is_current=token.pk == current_id,
            **{name: getattr(token, name) for name in own},
        )


class TokenPage(Page):
    items: list[TokenOut]


@read(router, "/tokens", answer=TokenPage)
def list_tokens(request: ApiRequest, limit: Limit = 50, offset: Offset = 0) -> TokenPage:
    """Those of the token's person, newest first; to a token of one project those of that project."""
    rows, count = cut(tokens.list_tokens_of(request.auth), limit, offset)
    return TokenPage(items=[TokenOut.of(token, request.auth.limit.token_id) for token in rows], count=count)


@write(router, "DELETE", "/tokens/{token_id}", answer=TokenOut)
def revoke_token(request: ApiRequest, token_id: _Fingerprint) -> TokenOut:
    """It opens nothing from now on. Takes a token with the Admin role, and another one than this request came with."""
    token = tokens.list_tokens_of(request.auth).filter(digest__startswith=token_id).first()
    if token is None:
        raise Http404(f"You have no token {token_id}.")
    return TokenOut.of(tokens.revoke_token_by_token(token, actor=request.auth), request.auth.limit.token_id)
