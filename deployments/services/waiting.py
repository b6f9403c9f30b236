"""How a change request begins and ends. Whoever calls holds the lock of its build, so each begins and ends once."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from builds.actors import name_person
from builds.errors import NotAllowedNow
from builds.models import AuditAction
from deployments.models import ChangeRequest, CodePush
from deployments.selectors import find_live_codepush
from deployments.services.change import BuildChange, build_change

_ENDED = {
    ChangeRequest.Status.APPROVED: AuditAction.CHANGE_APPROVED,
    ChangeRequest.Status.REFUSED: AuditAction.CHANGE_REFUSED,
    ChangeRequest.Status.WITHDRAWN: AuditAction.CHANGE_WITHDRAWN,
    ChangeRequest.Status.EXPIRED: AuditAction.CHANGE_EXPIRED,
    ChangeRequest.Status.OUTDATED: AuditAction.CHANGE_OUTDATED,
}
# Settings that decide what devices get: when one of them was changed, nobody has seen what an approval would do.
DECIDING = ("is_enabled", "is_mandatory", "rollout_percent")


def begin(
    change: BuildChange,
    *,
    kind: ChangeRequest.Kind,
    codepush: CodePush | None,
    parameters: dict[str, Any],
    requested_by: User | None,
    reason: str,
) -> ChangeRequest:
    """The change waits, for as long as the project says. Raises NotAllowedNow when one of the same thing waits."""
    _require_none_waits(change, codepush)
    live = find_live_codepush(change.build)
    request = ChangeRequest.objects.create(
        build=change.build,
        codepush=codepush,
        kind=kind,
        parameters=parameters,
        before=list_deciding(codepush) if codepush else {},
        live_label=live.label if live else "",
        requested_by=requested_by,
        reason=reason,
        expires_at=timezone.now() + timedelta(hours=change.rules.approval_hours),
    )
    change.record(AuditAction.CHANGE_REQUESTED, codepush=codepush, after=request.describe(), reason=reason)
    return request


def list_deciding(codepush: CodePush) -> dict[str, Any]:
    settings = codepush.describe_settings()
    return {name: settings[name] for name in DECIDING}


def _require_none_waits(change: BuildChange, codepush: CodePush | None) -> None:
    waits = ChangeRequest.objects.filter(build=change.build, codepush=codepush, status=ChangeRequest.Status.WAITING)
    other = waits.select_related("requested_by").first()
    if other is not None:
        raise NotAllowedNow(
            f"A change of {codepush or 'Force Update'} waits for approval already, asked for by "
            f"{name_requester(other)}. It must be approved, refused or withdrawn first."
        )


def end(
    change: BuildChange, request: ChangeRequest, status: ChangeRequest.Status, *, outcome: str, reason: str = ""
) -> None:
    """The request has ended so; an upload that waited, and was not approved, is canceled with the same words."""
    request.status = status
    request.decided_by = change.actor
    request.decided_at = timezone.now()
    request.outcome = outcome
    request.save(update_fields=["status", "decided_by", "decided_at", "outcome"])
    codepush = request.codepush
    if request.kind == ChangeRequest.Kind.RELEASE and status != ChangeRequest.Status.APPROVED and codepush is not None:
        codepush.status = CodePush.Status.CANCELED
        codepush.failure_reason = outcome
        codepush.save(update_fields=["status", "failure_reason"])
    change.record(
        _ENDED[status],
        codepush=codepush,
        after={**request.describe(), "requested_by": name_requester(request), "outcome": outcome},
        reason=reason,
    )


def get_waiting(request_id: int) -> ChangeRequest:
    """As it stands under the lock, with build, CodePush and who asked. Raises NotAllowedNow when it has ended."""
    requests = ChangeRequest.objects.select_related("build__project", "codepush__bundle", "requested_by")
    request = requests.get(pk=request_id)
    if not request.is_waiting:
        raise NotAllowedNow(f"This request has ended already. {request.outcome}")
    return request


def expire_overdue() -> int:
    """Requests that waited too long have ended; how many there were. Safe to run twice at once."""
    overdue = ChangeRequest.objects.filter(status=ChangeRequest.Status.WAITING, expires_at__lte=timezone.now())
    ended = 0
    for request_id, build_id in list(overdue.order_by("id").values_list("pk", "build_id")):
        with suppress(NotAllowedNow), build_change(build_id, actor=None) as change:
            request = get_waiting(request_id)
            end(change, request, ChangeRequest.Status.EXPIRED, outcome=describe_expiry(request))
            ended += 1
    return ended


def describe_expiry(request: ChangeRequest) -> str:
    return f"Nobody approved it before {request.expires_at:%d %b %Y, %H:%M} UTC."


def name_requester(request: ChangeRequest) -> str:
    return name_person(request.requested_by) if request.requested_by else "somebody who has left"
