"""Force Update: devices of a replaced build are sent to the store and get no CodePush."""

from django.contrib.auth.models import User

from builds.errors import NotAllowedNow
from builds.models import AuditAction, Build, StoreStatus
from deployments.models import ChangeRequest
from deployments.policy import transitions
from deployments.services import checks
from deployments.services.change import slot_change


def find_force_update_obstacle(build: Build, store_live: Build | None) -> str | None:
    """Why Force Update cannot be applied now, as a sentence; None when it can. `store_live`: that of its slot."""
    return transitions.find_force_update_obstacle(
        is_store_live=build.store_status == StoreStatus.LIVE,
        was_store_live=build.was_store_live,
        slot_has_store_live=store_live is not None,
    )


def apply_force_update(build_id: int, *, actor: User, reason: str = "", approval: ChangeRequest | None = None) -> Build:
    """Devices on this build get no CodePush and are told the store-live version. Applying it twice changes nothing.

    Raises NotAllowedNow unless the build was store-live and has been replaced, ApprovalNeeded, InvalidInput for a
    reason too long.
    Source: App Maker, "Force Update".
    """
    return _set_force_updated(build_id, actor=actor, is_force_updated=True, reason=reason, approval=approval)


def lift_force_update(build_id: int, *, actor: User, reason: str = "") -> Build:
    """Devices on this build get CodePushes again. Lifting what is not applied changes nothing. It waits for nobody."""
    return _set_force_updated(build_id, actor=actor, is_force_updated=False, reason=reason)


def _set_force_updated(
    build_id: int, *, actor: User, is_force_updated: bool, reason: str, approval: ChangeRequest | None = None
) -> Build:
    checks.check_reason(reason)
    # The whole slot: its store-live build must not leave the store between the check and the commit.
    with slot_change(build_id, actor=actor) as (change, slot):
        build = change.build
        if build.is_force_updated == is_force_updated:
            return build
        store_live = next((other for other in slot if other.store_status == StoreStatus.LIVE), None)
        if is_force_updated and (obstacle := find_force_update_obstacle(build, store_live)):
            raise NotAllowedNow(obstacle)
        if is_force_updated:
            change.require_second_person(approval)
        build.is_force_updated = is_force_updated
        build.save(update_fields=["is_force_updated"])
        change.record(
            AuditAction.FORCE_UPDATE_APPLIED if is_force_updated else AuditAction.FORCE_UPDATE_LIFTED,
            before={"is_force_updated": not is_force_updated},
            after={"is_force_updated": is_force_updated},
            reason=reason,
        )
        return build
