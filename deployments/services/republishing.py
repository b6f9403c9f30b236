"""Making an earlier bundle Live again: roll back and promote.

Instant, and independent of worker, broker and Redis: the bundle is already there, only a row is written.
"""

from django.contrib.auth.models import User
from django.utils import timezone

from builds.errors import InvalidInput
from builds.models import AuditAction
from deployments.models import ChangeRequest, CodePush
from deployments.policy.label import find_label_number
from deployments.services import checks
from deployments.services.change import BuildChange, codepush_change
from deployments.services.publishing import require_signed_still


def roll_back(
    codepush_id: int,
    *,
    to_label: str,
    actor: User,
    reason: str = "",
    is_mandatory: bool | None = None,
    rollout_percent: int = 100,
    expected_live: str | None = None,
) -> CodePush:
    """A new CodePush with the bundle of an earlier success is Live. Devices see it at their next check.

    `codepush_id` is the Live one. No file is copied. `is_mandatory`: None keeps what the earlier one says.
    It never waits for a second person, and is not refused for a missing signature: it is what people do when an update
    hurts. (The dialog says when devices that check signatures would not take it.)
    Several at once that do not say what they saw (`expected_live` None) succeed in turn, each with its own label.
    Raises InvalidInput (no such label, bad rollout), NotAllowedNow (not the Live one), StaleView.
    Source: App Maker, "Rollback a CodePush".
    """
    checks.check_rollout(rollout_percent)
    checks.check_reason(reason)
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        live = change.require_live(expected_live)
        if expected_live is not None or not _is_replaced_by_rollbacks_only(codepush):
            live = checks.require_is_live(codepush, live)
        source = _get_earlier_success(change, live, to_label)
        return _publish_copy(
            change,
            source,
            origin=CodePush.Origin.ROLLBACK,
            replaced=live,
            reason=reason,
            is_mandatory=is_mandatory,
            rollout_percent=rollout_percent,
            created_by=change.actor,
        )


def promote(
    codepush_id: int,
    *,
    actor: User,
    reason: str = "",
    rollout_percent: int = 100,
    expected_live: str | None = None,
    approval: ChangeRequest | None = None,
) -> CodePush:
    """A new CodePush with the bundle of this success is Live. No file is copied.

    Raises NotAllowedNow (it has not succeeded, or is Live already), InvalidInput, StaleView, ApprovalNeeded.
    Source: App Maker, "Promote a CodePush".
    """
    checks.check_rollout(rollout_percent)
    checks.check_reason(reason)
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        live = change.require_live(expected_live)
        checks.require_success(codepush, to_be="promoted")
        checks.require_not_live(codepush, live)
        checks.require_accepts_codepushes(change.build)
        require_signed_still(change, codepush)
        change.require_second_person(approval)
        return _publish_copy(
            change,
            codepush,
            origin=CodePush.Origin.PROMOTE,
            replaced=live,
            reason=reason,
            rollout_percent=rollout_percent,
            created_by=approval.requested_by if approval else change.actor,
        )


def _is_replaced_by_rollbacks_only(codepush: CodePush) -> bool:
    """It was Live until somebody else rolled back, too: then this rollback comes after theirs."""
    newer = (
        CodePush.objects.servable()
        .filter(build_id=codepush.build_id)
        .filter(label_number__gt=codepush.label_number or 0)
    )
    origins = set(newer.values_list("origin", flat=True))
    return codepush.is_successful and codepush.is_enabled and origins == {CodePush.Origin.ROLLBACK}


def _get_earlier_success(change: BuildChange, live: CodePush | None, label: str) -> CodePush:
    """The success with this label, older than the Live one; disabled ones too."""
    successes = change.build.codepushes.successful().select_related("source")
    # Every success has a label, so None finds none.
    found: CodePush | None = successes.filter(label_number=find_label_number(label)).first()
    if found is None:
        raise InvalidInput(
            f"{change.build} has no CodePush {label!r}. Choose an earlier label, such as v1.", field="to"
        )
    if live is None or (found.label_number or 0) >= (live.label_number or 0):
        raise InvalidInput(f"{label} is not earlier than {live}, which is Live. Choose an earlier label.", field="to")
    return found


def _publish_copy(
    change: BuildChange,
    source: CodePush,
    *,
    origin: CodePush.Origin,
    replaced: CodePush | None,
    reason: str,
    rollout_percent: int,
    created_by: User | None,
    is_mandatory: bool | None = None,
) -> CodePush:
    """The next label carries the source's bundle. "Disabled" and the rollout of the source are not copied."""
    checks.require_accepts_codepushes(change.build)
    now = timezone.now()
    codepush = CodePush.objects.create(
        build=change.build,
        status=CodePush.Status.SUCCESS,
        label_number=change.next_label_number(),
        bundle_id=source.bundle_id,
        origin=origin,
        source=source,
        description=_describe_copy(source, origin),
        is_mandatory=source.is_mandatory if is_mandatory is None else is_mandatory,
        rollout_percent=rollout_percent,
        reason=reason,
        created_by=created_by,
        started_at=now,
        finished_at=now,
        duration_ms=0,
        step=CodePush.Step.PUBLISHING,
        progress_percent=100,
    )
    action = AuditAction.CODEPUSH_ROLLED_BACK if origin == CodePush.Origin.ROLLBACK else AuditAction.CODEPUSH_PROMOTED
    change.record(
        action,
        codepush=codepush,
        before={"live": replaced.label if replaced else None},
        after={"live": codepush.label, "references": source.label},
        reason=reason,
    )
    return codepush


def _describe_copy(source: CodePush, origin: CodePush.Origin) -> str:
    """The source's description with a note. A copy of a copy carries one note, not two."""
    description = source.description
    if source.source is not None:
        description = description.removesuffix(_note(source.source, CodePush.Origin(source.origin)))
    note = _note(source, origin)
    return f"{description.strip()[: checks.MAX_DESCRIPTION_LENGTH - len(note) - 1]} {note}".strip()


def _note(source: CodePush, origin: CodePush.Origin) -> str:
    return f"({'Rollback to' if origin == CodePush.Origin.ROLLBACK else 'Promotes'} {source.label})"
