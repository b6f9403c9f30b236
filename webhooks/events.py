"""Which events an audit entry means to others. Pure: plain values in, events out."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Event(StrEnum):
    """What a webhook can be told of. Names are part of the schema: receivers compare them."""

    BUILD_CREATED = "build.created"
    BUILD_SUCCEEDED = "build.succeeded"
    BUILD_FAILED = "build.failed"
    BUILD_CANCELED = "build.canceled"
    CODEPUSH_CREATED = "codepush.created"
    CODEPUSH_SUCCEEDED = "codepush.succeeded"
    CODEPUSH_FAILED = "codepush.failed"
    CODEPUSH_CANCELED = "codepush.canceled"
    LIVE_CHANGED = "live.changed"
    ROLLED_BACK = "codepush.rolled_back"
    FORCE_UPDATE_APPLIED = "force_update.applied"
    FORCE_UPDATE_LIFTED = "force_update.lifted"
    ROLLBACK_ALERT = "codepush.rollback_alert"
    CHANGE_REQUESTED = "change.requested"
    CHANGE_APPROVED = "change.approved"
    CHANGE_REFUSED = "change.refused"
    CHANGE_WITHDRAWN = "change.withdrawn"
    CHANGE_EXPIRED = "change.expired"
    CHANGE_OUTDATED = "change.outdated"
    SECOND_PERSON_CHANGED = "project.second_person_changed"
    SIGNING_KEY_CHANGED = "project.signing_key_changed"
    # Sent by the button only; nobody can leave it out.
    TEST = "webhook.test"


EVENT_LABELS: dict[Event, str] = {
    Event.BUILD_CREATED: "Build created",
    Event.BUILD_SUCCEEDED: "Build succeeded",
    Event.BUILD_FAILED: "Build failed",
    Event.BUILD_CANCELED: "Build canceled",
    Event.CODEPUSH_CREATED: "CodePush created",
    Event.CODEPUSH_SUCCEEDED: "CodePush succeeded",
    Event.CODEPUSH_FAILED: "CodePush failed",
    Event.CODEPUSH_CANCELED: "CodePush canceled",
    Event.LIVE_CHANGED: "Live changed",
    Event.ROLLED_BACK: "Rolled back",
    Event.FORCE_UPDATE_APPLIED: "Force Update applied",
    Event.FORCE_UPDATE_LIFTED: "Force Update lifted",
    Event.ROLLBACK_ALERT: "Rollback-rate alert",
    Event.CHANGE_REQUESTED: "Approval asked for",
    Event.CHANGE_APPROVED: "Change approved",
    Event.CHANGE_REFUSED: "Change refused",
    Event.CHANGE_WITHDRAWN: "Request withdrawn",
    Event.CHANGE_EXPIRED: "Request expired",
    Event.CHANGE_OUTDATED: "Request outdated",
    Event.SECOND_PERSON_CHANGED: "Second person for production turned on or off",
    Event.SIGNING_KEY_CHANGED: "Signing key changed",
    Event.TEST: "Test",
}
SUBSCRIBABLE = [event for event in Event if event != Event.TEST]

_BY_ACTION = {
    "build.registered": Event.BUILD_CREATED,
    "codepush.created": Event.CODEPUSH_CREATED,
    "codepush.succeeded": Event.CODEPUSH_SUCCEEDED,
    "codepush.failed": Event.CODEPUSH_FAILED,
    "codepush.canceled": Event.CODEPUSH_CANCELED,
    "codepush.rolled_back": Event.ROLLED_BACK,
    "build.force_update_applied": Event.FORCE_UPDATE_APPLIED,
    "build.force_update_lifted": Event.FORCE_UPDATE_LIFTED,
    "codepush.rollback_alert_sent": Event.ROLLBACK_ALERT,
    "change.requested": Event.CHANGE_REQUESTED,
    "change.approved": Event.CHANGE_APPROVED,
    "change.refused": Event.CHANGE_REFUSED,
    "change.withdrawn": Event.CHANGE_WITHDRAWN,
    "change.expired": Event.CHANGE_EXPIRED,
    "change.outdated": Event.CHANGE_OUTDATED,
    "project.second_person_changed": Event.SECOND_PERSON_CHANGED,
    "project.signing_key_changed": Event.SIGNING_KEY_CHANGED,
}
_BY_BUILD_STATUS = {
    "success": Event.BUILD_SUCCEEDED,
    "failed": Event.BUILD_FAILED,
    "canceled": Event.BUILD_CANCELED,
}


class LiveChange(NamedTuple):
    """Labels; None where nothing is Live."""

    before: str | None
    after: str | None


def find_events(action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """In the order in which they are told. A build that is registered as finished was created, and has finished."""
    events = [_BY_ACTION[action]] if action in _BY_ACTION else []
    if action in ("build.registered", "build.status_changed") and after.get("status") in _BY_BUILD_STATUS:
        events.append(_BY_BUILD_STATUS[after["status"]])
    if find_live_change(action, before, after) is not None:
        events.append(Event.LIVE_CHANGED)
    return events


def find_live_change(action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> LiveChange | None:
    """Which CodePush became Live instead of which; None when Live stayed as it was."""
    # A success has the highest label and is enabled: it is Live.
    name = "label" if action == "codepush.succeeded" else "live"
    return LiveChange(before.get("live"), after.get(name)) if "live" in before else None
