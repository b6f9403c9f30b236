"""The side column of Build Detail: whether devices get updates, and what happened to the build in the store."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from builds.models import AuditAction, AuditEntry, Build, StoreStatus
from builds.repository import find_commit_url
from deployments.models import CodePush

_SHOWN_EVENTS = 5
_HOW_IT_ENDED: dict[str, str] = {Build.Status.FAILED: "failed", Build.Status.CANCELED: "was canceled"}
_STORE_WORDS = {StoreStatus.LIVE: "Live", StoreStatus.APPROVED: "Approved", StoreStatus.NONE: "Not in store"}


@dataclass(frozen=True)
class Condition:
    """One of the things that must hold for devices to get updates."""

    text: str
    is_met: bool


@dataclass(frozen=True)
class StoreEvent:
    """What happened to the build in the store. `other`: the build it names, `other_id` where that is not read."""

    name: str
    entry: AuditEntry
    other: Build | None = None
    other_id: int | None = None


@dataclass(frozen=True)
class BuildSide:
    """`reason`: the one thing to mend first, in words; "" while devices get updates."""

    reason: str
    conditions: list[Condition]
    store_events: list[StoreEvent]
    force_update_events: list[AuditEntry]
    duration: timedelta | None
    commit_url: str
    masked_key: str


def describe_side(
    build: Build, live: CodePush | None, entries: Iterable[AuditEntry], *, has_success: bool
) -> BuildSide:
    """`entries`: of `list_store_entries`. No query."""
    listed = list(entries)
    about_force_update = (AuditAction.FORCE_UPDATE_APPLIED, AuditAction.FORCE_UPDATE_LIFTED)
    in_store = [entry for entry in listed if entry.action not in about_force_update]
    return BuildSide(
        reason=find_update_obstacle(build, live, has_success=has_success),
        conditions=_list_conditions(build, live),
        store_events=[_read_event(build, entry) for entry in in_store[:_SHOWN_EVENTS]],
        force_update_events=[entry for entry in listed if entry.action in about_force_update][:2],
        duration=_find_duration(build),
        commit_url=find_commit_url(build.project.repository_url, build.commit),
        masked_key=mask_key(build.deployment_key),
    )


def find_update_obstacle(build: Build, live: CodePush | None, *, has_success: bool) -> str:
    """Why devices of the build get nothing, as the first thing to mend; "" when they do get updates."""
    if not build.is_successful:
        if build.status in _HOW_IT_ENDED:
            return f"This build {_HOW_IT_ENDED[build.status]}, so it can't receive CodePush. Register a new one."
        return f"The build is {build.get_status_display().lower()}. It can receive CodePush once it is successful."
    if build.is_force_updated:
        return "Force Update is applied: devices are sent to the store. Lift it to let them get CodePush again."
    if live is None:
        if has_success:
            return "No successful update is enabled. Enable one, or create a CodePush."
        return "No successful update is enabled: none has succeeded yet. Create a CodePush."
    return ""


def _find_duration(build: Build) -> timedelta | None:
    """None too when it was registered as already finished: how long it took is not known."""
    if build.started_at is None or build.finished_at is None or build.finished_at <= build.started_at:
        return None
    return build.finished_at - build.started_at


def mask_key(deployment_key: str) -> str:
    """Enough to tell two keys apart, and not the key."""
    return f"{deployment_key[:4]}••••••••{deployment_key[-4:]}"


def _list_conditions(build: Build, live: CodePush | None) -> list[Condition]:
    status = _HOW_IT_ENDED.get(build.status) or f"is {build.get_status_display().lower()}"
    return [
        Condition("Build is successful" if build.is_successful else f"Build {status}", build.is_successful),
        Condition(f"Force Update is {'' if build.is_force_updated else 'not '}applied", not build.is_force_updated),
        Condition(
            f"{live.label} is enabled, rolled out to {live.rollout_percent}%" if live else "No update is Live",
            live is not None,
        ),
    ]


def _read_event(build: Build, entry: AuditEntry) -> StoreEvent:
    if entry.action == AuditAction.STORE_STATUS_DEMOTED:
        if entry.build_id == build.pk:
            return StoreEvent("Replaced by", entry, other_id=entry.after.get("replaced_by"))
        return StoreEvent("Replaced", entry, other=entry.build)
    return StoreEvent(_STORE_WORDS[StoreStatus(entry.after["store_status"])], entry)
