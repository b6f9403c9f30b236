"""Changes that need a second person: asked for by one, approved or refused by another, withdrawn, or run out.

Asking makes sure that the service would make the change now, but for the second person; approving calls that very
service. So there is one place that knows each change. All of it happens under the lock of the build.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from builds.actors import name_person
from builds.errors import DomainError, InvalidInput, NotAllowedNow, StaleView
from builds.models import Membership, Role
from deployments.models import ChangeRequest
from deployments.selectors import find_live_codepush
from deployments.services import checks, codepushes, force_update, publishing, republishing, waiting
from deployments.services.change import ApprovalNeeded, BuildChange, build_change, codepush_change, slot_change

Kind, Status = ChangeRequest.Kind, ChangeRequest.Status
SAY_WHY = "The reason is empty. Say why, for the other person."


def ask_to_promote(
    codepush_id: int, *, actor: User, reason: str, rollout_percent: int = 100, expected_live: str | None = None
) -> ChangeRequest:
    """`promote` waits for a second person. Raises as it does, and InvalidInput without a reason."""
    _check_asking(reason)
    values: dict[str, Any] = {"rollout_percent": rollout_percent}
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        _require_that_it_waits(
            lambda: republishing.promote(codepush_id, actor=actor, expected_live=expected_live, **values)
        )
        return waiting.begin(
            change, kind=Kind.PROMOTE, codepush=codepush, parameters=values, requested_by=actor, reason=reason
        )


def ask_to_edit(
    codepush_id: int, *, actor: User, reason: str, expected_live: str | None = None, **settings: Any
) -> ChangeRequest:
    """`edit_codepush` waits for a second person, as a whole. Raises as it does, and InvalidInput without a reason.

    `settings`: those of `edit_codepush`; None and what is so already is not part of the change.
    """
    _check_asking(reason)
    with codepush_change(codepush_id, actor=actor) as (change, codepush):
        now = codepush.describe_settings()
        values = {name: value for name, value in settings.items() if value is not None and value != now[name]}
        _require_that_it_waits(
            lambda: codepushes.edit_codepush(codepush_id, actor=actor, expected_live=expected_live, **values)
        )
        return waiting.begin(
            change, kind=Kind.EDIT, codepush=codepush, parameters=values, requested_by=actor, reason=reason
        )


def ask_for_force_update(build_id: int, *, actor: User, reason: str) -> ChangeRequest:
    """`apply_force_update` waits for a second person. Raises as it does, and InvalidInput without a reason."""
    _check_asking(reason)
    with slot_change(build_id, actor=actor) as (change, _):
        _require_that_it_waits(lambda: force_update.apply_force_update(build_id, actor=actor))
        return waiting.begin(
            change, kind=Kind.FORCE_UPDATE, codepush=None, parameters={}, requested_by=actor, reason=reason
        )


def approve(request_id: int, *, actor: User) -> ChangeRequest:
    """The change is made, and the request has ended as approved: both, or neither.

    What does not fit any more, because something changed since it was asked for, or it waited too long, ends the
    request too; then StaleView says why. Raises NotAllowedNow (it has ended, or the actor asked for it).
    """
    with _locked(request_id, actor) as (change, request):
        _require_other_person(request, actor, "Somebody else must approve it.")
        obstacle = find_obstacle(request) or _carry_out(change, request, actor)
        if obstacle:
            is_late = request.expires_at <= timezone.now()
            waiting.end(change, request, Status.EXPIRED if is_late else Status.OUTDATED, outcome=obstacle)
    # Outside: the end of the request is committed, or part of what the caller commits.
    if obstacle:
        raise StaleView(f"{obstacle} Nothing has changed for devices. Ask for it again if it is still wanted.")
    return request


def refuse(request_id: int, *, actor: User, reason: str) -> ChangeRequest:
    """The change is not made. Raises InvalidInput without a reason, NotAllowedNow (it has ended, or is their own)."""
    _check_asking(reason)
    with _locked(request_id, actor) as (change, request):
        _require_other_person(request, actor, "Withdraw it instead.")
        waiting.end(
            change, request, Status.REFUSED, outcome=f"Refused by {name_person(actor)}: {reason}", reason=reason
        )
        return request


def withdraw(request_id: int, *, actor: User, reason: str = "") -> ChangeRequest:
    """The change is not made: who asked for it does not want it any more. Raises NotAllowedNow (ended, not theirs)."""
    checks.check_reason(reason)
    with _locked(request_id, actor) as (change, request):
        if request.requested_by_id != actor.pk:
            raise NotAllowedNow(
                f"{waiting.name_requester(request)} asked for this, so nobody else can withdraw it. Refuse it instead."
            )
        outcome = f"Withdrawn by {name_person(actor)}{': ' + reason if reason else '.'}"
        waiting.end(change, request, Status.WITHDRAWN, outcome=outcome, reason=reason)
        return request


def find_obstacle(request: ChangeRequest) -> str:
    """Why what was asked for is not what an approval would do now, in words; "" when it is. At most three queries."""
    if request.expires_at <= timezone.now():
        return waiting.describe_expiry(request)
    if not _may_release(request):
        return f"{waiting.name_requester(request)}, who asked for it, may not release in this project any more."
    if request.codepush is None:
        return ""
    live = find_live_codepush(request.build)
    label = live.label if live else ""
    if label != request.live_label:
        now = f"{label} became Live" if label else f"{request.live_label} was disabled"
        return f"{now} since this was asked for."
    if waiting.list_deciding(request.codepush) != request.before:
        return f"The settings of {request.codepush} were changed since this was asked for."
    return ""


def _carry_out(change: BuildChange, request: ChangeRequest, actor: User) -> str:
    """The change is made and the request approved; or neither, and the answer says why."""
    asked: dict[str, Any] = {"actor": actor, "reason": request.reason, "approval": request}
    try:
        with transaction.atomic():
            outcome = f"Approved by {name_person(actor)}."
            waiting.end(change, request, Status.APPROVED, outcome=outcome)
            codepush = request.codepush
            # By constraint there is a CodePush, but for Force Update.
            if codepush is None:
                force_update.apply_force_update(change.build.pk, **asked)
            elif request.kind == Kind.RELEASE:
                publishing.release_approved(change, codepush)
            elif request.kind == Kind.PROMOTE:
                republishing.promote(codepush.pk, **asked, **request.parameters)
            else:
                codepushes.edit_codepush(codepush.pk, **asked, **request.parameters)
    except DomainError as refusal:
        request.refresh_from_db()
        return refusal.message
    return ""


@contextmanager
def _locked(request_id: int, actor: User | None) -> Iterator[tuple[BuildChange, ChangeRequest]]:
    """The waiting request, under the lock that its service takes. Raises NotAllowedNow when it has ended."""
    build_id, kind = ChangeRequest.objects.values_list("build_id", "kind").get(pk=request_id)
    with transaction.atomic():
        # The whole slot at once: who holds one build and then asks for the slot could wait for somebody who waits.
        if kind == Kind.FORCE_UPDATE:
            with slot_change(build_id, actor=actor) as (change, _):
                yield change, waiting.get_waiting(request_id)
        else:
            with build_change(build_id, actor=actor) as change:
                yield change, waiting.get_waiting(request_id)


def _require_other_person(request: ChangeRequest, actor: User, instead: str) -> None:
    # A token's user is the person of the token.
    if request.requested_by_id == actor.pk:
        raise NotAllowedNow(f"You asked for this yourself. {instead}")


def _require_that_it_waits(attempt: Callable[[], object]) -> None:
    """The service would make the change, but for a second person. Raises what it refuses."""
    try:
        with transaction.atomic():
            attempt()
            # Undoes it.
            raise NotAllowedNow("This needs no second person now. Nothing has changed: do it directly.")
    except ApprovalNeeded:
        return


def _check_asking(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput(SAY_WHY, field="reason")
    checks.check_reason(reason)


def _may_release(request: ChangeRequest) -> bool:
    members = Membership.objects.filter(project=request.build.project, user=request.requested_by_id)
    return members.filter(role__in=(Role.RELEASE_MANAGER, Role.ADMIN), user__is_active=True).exists()
