"""Shapes of CodePushes in the release API."""

from datetime import datetime
from typing import Annotated, Literal, Self

from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from builds.models import Build
from deployments.models import CodePush
from deployments.policy.trace import Considered, Step, Trace
from deployments.services.checks import MAX_DESCRIPTION_LENGTH, MAX_REASON_LENGTH
from release_api.schemas import WHOLE, BuildTargetName, Input, Page, PlatformName, Text, read_name

_Description = Annotated[Text, Field(max_length=MAX_DESCRIPTION_LENGTH)]
_Reason = Annotated[Text, Field(max_length=MAX_REASON_LENGTH, description="Kept in the audit log and on the card.")]
_Rollout = Annotated[int, Field(ge=1, le=100, description="Share of devices meant to get it."), WHOLE]
_ExpectedLive = Annotated[
    str,
    Field(
        pattern="^(v[1-9][0-9]{0,8})?$",
        description="The label that must be Live still, “” for none; otherwise 409, and nothing is done.",
    ),
]


class CreateIn(Schema):
    """The fields of the form beside the file. `build_target` and `platform`: refused unless they are the build's."""

    model_config = ConfigDict(extra="forbid")

    description: _Description = ""
    is_mandatory: bool = Field(False, description="Installs during the splash screen.")
    rollout_percent: _Rollout = 100
    build_target: BuildTargetName | SkipJsonSchema[None] = Field(None, description="Must be the build's.")
    platform: PlatformName | SkipJsonSchema[None] = Field(None, description="Must be the build's.")
    allows_identical: bool = Field(False, description="Publish even if identical to the Live bundle.")
    reason: _Reason = ""
    # A form has no null: absent is all that None means here.
    expected_live: _ExpectedLive | SkipJsonSchema[None] = None


class EditIn(Input):
    description: _Description | None = None
    is_enabled: bool | None = None
    is_mandatory: bool | None = None
    rollout_percent: _Rollout | None = None
    reason: _Reason = ""
    expected_live: _ExpectedLive | None = None


class ReasonIn(Input):
    reason: _Reason = ""


class PromoteIn(ReasonIn):
    rollout_percent: _Rollout = 100
    expected_live: _ExpectedLive | None = None


class RollbackIn(PromoteIn):
    to: str = Field(pattern="^v[1-9][0-9]{0,8}$", description="Label of an earlier success.", examples=["v2"])
    is_mandatory: bool | None = Field(None, description="Without it: as the one you go back to.")


class CodePushOut(Schema):
    deployment_id: str
    build_id: int
    status: Literal["pending", "processing", "waiting", "success", "failed", "canceled"] = Field(
        description="“waiting”: processed, and offered to nobody before a second person approves it."
    )
    step: Literal["queued", "checking", "storing", "diffing", "publishing"] = Field(description="Of the processing.")
    progress_percent: int
    label: str | None
    is_live: bool = Field(description="It is what devices are offered now.")
    is_enabled: bool
    is_mandatory: bool
    rollout_percent: int
    description: str
    target_binary_range: str = Field(description="The binaries that may run it: the store version of the build.")
    origin: Literal["upload", "rollback", "promote"]
    references: str | None = Field(description="Label of the one whose bundle it has, after a rollback or promote.")
    reason: str
    package_hash: str | None
    is_signed: bool = Field(description="The bundle carries a code signature.")
    size_bytes: int | None
    duration_seconds: float | None = Field(description="Of the processing.")
    created_at: datetime
    created_by: str | None
    failure_reason: str | None = Field(description="Why it failed, or why it was not approved.")

    @classmethod
    def of(cls, codepush: CodePush, build: Build) -> Self:
        """`codepush` from `list_related_codepushes`, with `is_live`: then no query."""
        bundle = codepush.bundle
        own = {"status", "step", "is_enabled", "is_mandatory", "rollout_percent", "description", "origin", "reason"}
        return cls(
            deployment_id=codepush.deployment_id,
            build_id=build.pk,
            progress_percent=codepush.progress_percent,
            label=codepush.label or None,
            is_live=codepush.is_live,  # type: ignore[attr-defined]
            target_binary_range=build.store_version,
            references=codepush.source.label if codepush.source else None,
            package_hash=bundle.package_hash if bundle else None,
            is_signed=bundle is not None and bundle.is_signed,
            size_bytes=bundle.size_bytes if bundle else codepush.upload_size_bytes,
            duration_seconds=None if codepush.duration_ms is None else codepush.duration_ms / 1000,
            created_at=codepush.created_at,
            created_by=read_name(codepush.created_by),
            failure_reason=codepush.failure_reason or None,
            **{name: getattr(codepush, name) for name in own},
        )


class CodePushPage(Page):
    items: list[CodePushOut]


class StepOut(Schema):
    number: int = Field(description="Of the rule in docs/protocol.md.")
    rule: str
    title: str
    outcome: Literal["passed", "stopped", "not_reached"]
    detail: str

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(**{name: getattr(step, name) for name in cls.model_fields})


class ConsideredOut(Schema):
    label: str
    deployment_id: str
    rollout_percent: int
    bucket: int | None
    is_included: bool
    detail: str

    @classmethod
    def of(cls, considered: Considered) -> Self:
        return cls(**{name: getattr(considered, name) for name in cls.model_fields})


class ExplainOut(Schema):
    """What a device is offered now, and why."""

    reason: str
    sentence: str
    offered_label: str | None
    offered_deployment_id: str | None
    is_mandatory: bool
    is_diff: bool
    download_bytes: int | None
    update_app_version: bool = Field(description="The device is sent to the store.")
    should_run_binary_version: bool
    own_label: str | None = Field(description="What the device runs, if the history of the build knows it.")
    steps: list[StepOut]
    considered: list[ConsideredOut] = Field(description="Rollouts that were looked at, newest first.")

    @classmethod
    def of(cls, trace: Trace) -> Self:
        decision = trace.decision
        offer, download = decision.offer, decision.download
        return cls(
            reason=decision.reason,
            sentence=trace.sentence,
            offered_label=offer.label if offer else None,
            offered_deployment_id=offer.deployment_id if offer else None,
            is_mandatory=decision.is_mandatory,
            is_diff=offer is not None and download != offer.whole,
            download_bytes=download.size_bytes if download else None,
            update_app_version=decision.update_app_version,
            should_run_binary_version=decision.should_run_binary_version,
            own_label=trace.own_label or None,
            steps=[StepOut.of(step) for step in trace.steps],
            considered=[ConsideredOut.of(each) for each in trace.considered],
        )
