"""What happens to a build: compiled or not, in a store or not."""

from django.contrib.auth.models import User
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Build, StoreStatus
from deployments.policy import transitions
from deployments.services.change import BuildChange, build_change, slot_change


def set_build_status(build_id: int, *, actor: User | None, status: str) -> Build:
    """The build has the status; a success may now receive CodePushes. Setting the present status changes nothing.

    Raises InvalidInput for an unknown status, NotAllowedNow when the build has already finished otherwise.
    """
    if status not in Build.Status.values:
        raise InvalidInput(
            f"{status!r} is not a build status; use one of {', '.join(Build.Status.values)}.", field="status"
        )
    with build_change(build_id, actor=actor) as change:
        build = change.build
        if build.status == status:
            return build
        if not transitions.may_change_build_status(build.status, status):
            wanted = Build.Status(status).label.lower()
            raise NotAllowedNow(
                f"{build} is {build.get_status_display().lower()} and cannot become {wanted}. Register a new build."
            )
        before = build.status
        build.status = status
        now = timezone.now()
        if build.started_at is None:
            build.started_at = now
        if status != Build.Status.RUNNING:
            build.finished_at = now
        build.save(update_fields=["status", "started_at", "finished_at"])
        change.record(AuditAction.BUILD_STATUS_CHANGED, before={"status": before}, after={"status": status})
        return build


def set_store_status(build_id: int, *, actor: User, store_status: str) -> Build:
    """The build has the store status. Becoming Live demotes the store-live build of its slot to Approved, and lifts
    a Force Update of this one.

    Raises InvalidInput for an unknown status, NotAllowedNow for a build that is not successful.
    Source: App Maker, "Update store status".
    """
    if store_status not in StoreStatus.values:
        raise InvalidInput(
            f"{store_status!r} is not a store status; use one of {', '.join(StoreStatus.values)}.", field="store_status"
        )
    with slot_change(build_id, actor=actor) as (change, slot):
        build = change.build
        if build.store_status == store_status:
            return build
        require_may_be_in_store(build)
        if store_status == StoreStatus.LIVE:
            _make_room(change, slot)
            build.store_live_at = timezone.now()
        before = build.store_status
        build.store_status = store_status
        build.save(update_fields=["store_status", "store_live_at", "is_force_updated"])
        change.record(
            AuditAction.STORE_STATUS_CHANGED, before={"store_status": before}, after={"store_status": store_status}
        )
        return build


def require_may_be_in_store(build: Build) -> None:
    """Raises NotAllowedNow for a build that is not successful."""
    if not transitions.may_set_store_status(build.status):
        raise NotAllowedNow(
            f"{build} is {build.get_status_display().lower()}; only a successful build has a store status."
        )


def _make_room(change: BuildChange, slot: list[Build]) -> None:
    """Nobody else is store-live in the slot, and nothing speaks against this build becoming it."""
    build = change.build
    for other in slot:
        if other.pk != build.pk and other.store_status == StoreStatus.LIVE:
            other.store_status = StoreStatus.APPROVED
            other.save(update_fields=["store_status"])
            change.record(
                AuditAction.STORE_STATUS_DEMOTED,
                build=other,
                before={"store_status": StoreStatus.LIVE},
                after={"store_status": StoreStatus.APPROVED, "replaced_by": build.pk},
            )
    if build.is_force_updated:
        # It was sent away from, and is now where others are sent to.
        build.is_force_updated = False
        change.record(
            AuditAction.FORCE_UPDATE_LIFTED,
            before={"is_force_updated": True},
            after={"is_force_updated": False},
            reason="The build became live in the store again.",
        )
