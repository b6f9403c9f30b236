"""What an audit entry says, for people: which field went from what to what."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from builds.formats import format_count
from builds.models import AuditAction, AuditEntry, Build, BuildTarget, Platform, Role, StoreStatus
from deployments.models import ChangeRequest, CodePush

# Where a value is empty. An absent one, as before a creation, is "".
EMPTY = "none"
_HASH_CHARACTERS = 12

_FIELDS = {
    "is_enabled": "Enabled",
    "is_mandatory": "Mandatory",
    "rollout_percent": "Rollout",
    "is_force_updated": "Force Update",
    "live": "Live",
    "references": "Same bundle as",
    "replaced_by": "Replaced by",
    "url": "URL",
    "slug": "Address",
    "ios_bundle_id": "iOS bundle ID",
    "android_bundle_id": "Android application ID",
    "huawei_bundle_id": "Huawei application ID",
    "repository_url": "Repository URL",
    "rollbacks": "Device rollbacks",
    "needs_second_person": "Second person",
    "approval_hours": "Requests wait (hours)",
    "requested_by": "Asked for by",
}
# A field of several objects has the words of all: they agree where they share a value.
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "status": {**dict(CodePush.Status.choices), **dict(Build.Status.choices)},
    "store_status": dict(StoreStatus.choices),
    "platform": dict(Platform.choices),
    "build_target": dict(BuildTarget.choices),
    "role": dict(Role.choices),
    "change": dict(ChangeRequest.Kind.choices),
}
_FLAGS = {"is_force_updated": ("Not applied", "Applied")}


class Change(NamedTuple):
    """One field in words. A side that the entry does not tell of is ""."""

    field: str
    before: str
    after: str


def describe_changes(entry: AuditEntry) -> list[Change]:
    """The fields of the entry, in the order in which they were recorded. No query."""
    before, after = entry.before, dict(entry.after)
    if entry.action == AuditAction.CODEPUSH_SUCCEEDED:
        # A success has the highest label and is enabled: it is Live.
        after["live"] = after.get("label")
    names = dict.fromkeys([*before, *after])
    return [Change(_name_field(name), _describe(before, name), _describe(after, name)) for name in names]


def _name_field(name: str) -> str:
    return _FIELDS.get(name) or name.replace("_", " ").capitalize()


def _describe(side: Mapping[str, Any], name: str) -> str:
    return _describe_value(name, side[name]) if name in side else ""


def _describe_value(name: str, value: Any) -> str:
    if value is None or value in ("", []):
        return EMPTY
    if isinstance(value, bool):
        return _FLAGS.get(name, ("Off", "On"))[value]
    if isinstance(value, int):
        return _describe_number(name, value)
    if isinstance(value, list):
        return ", ".join(_describe_value(name, part) for part in value)
    if name == "package_hash":
        return str(value)[:_HASH_CHARACTERS]
    return _CHOICES.get(name, {}).get(str(value), str(value))


def _describe_number(name: str, number: int) -> str:
    if name == "replaced_by":
        return f"Build #{number}"
    return f"{number}%" if name.endswith("_percent") else format_count(number)
