"""Shapes of change requests in the release API."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import Field

from deployments.api_schemas import EditIn, PromoteIn
from deployments.models import ChangeRequest
from deployments.policy.change_words import describe_change
from deployments.services.checks import MAX_REASON_LENGTH
from release_api.schemas import Input, Page, Text, read_name

ChangeStatusName = Literal["waiting", "approved", "refused", "withdrawn", "expired", "outdated"]
_Why = Annotated[Text, Field(min_length=1, max_length=MAX_REASON_LENGTH, description="Why, for the other person.")]


class WhyIn(Input):
    reason: _Why


class AskToPromoteIn(PromoteIn):
    reason: _Why


class AskToEditIn(EditIn):
    reason: _Why


class ChangeRequestOut(Schema):
    id: int
    build_id: int
    deployment_id: str | None = Field(description="Of the CodePush that it is about; null for Force Update.")
    kind: Literal["release", "promote", "edit", "force_update"]
    change: str = Field(description="What is asked for, in words.")
    parameters: dict[str, Any] = Field(description="What is asked for, as values.")
    reason: str
    live_label: str | None = Field(description="What was Live then. Another one by now makes the request outdated.")
    status: ChangeStatusName
    requested_by: str | None
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None = Field(description="Who ended it; null while it waits, and where nobody did.")
    decided_at: datetime | None
    outcome: str | None = Field(description="How it ended, in words.")

    @classmethod
    def of(cls, request: ChangeRequest) -> Self:
        """`request` from `list_change_requests`: then no query."""
        own = {"id", "build_id", "kind", "parameters", "reason", "status", "requested_at", "expires_at", "decided_at"}
        codepush = request.codepush
        return cls(
            deployment_id=codepush.deployment_id if codepush else None,
            change=describe_change(
                request.kind, codepush.label if codepush else "", request.parameters, request.before
            ),
            live_label=request.live_label or None,
            requested_by=read_name(request.requested_by),
            decided_by=read_name(request.decided_by),
            outcome=request.outcome or None,
            **{name: getattr(request, name) for name in own},
        )


class ChangeRequestPage(Page):
    items: list[ChangeRequestOut]
