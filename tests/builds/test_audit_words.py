"""An audit entry in words."""

from typing import Any

import pytest

from builds.models import AuditAction, AuditEntry
from builds.views.audit_words import describe_changes


@pytest.mark.parametrize(
    ("action", "before", "after", "words"),
    [
        (
            "codepush.edited",
            {"is_enabled": True, "rollout_percent": 25, "description": ""},
            {"is_enabled": False, "rollout_percent": 50, "description": "Fix"},
            [("Enabled", "On", "Off"), ("Rollout", "25%", "50%"), ("Description", "none", "Fix")],
        ),
        ("codepush.created", {}, {"is_mandatory": False}, [("Mandatory", "", "Off")]),
        (
            "codepush.succeeded",
            {"live": "v6"},
            {"label": "v7", "package_hash": "0123456789abcdef"},
            [("Live", "v6", "v7"), ("Label", "", "v7"), ("Package hash", "", "0123456789ab")],
        ),
        (
            "codepush.rolled_back",
            {"live": None},
            {"live": "v4", "references": "v2"},
            [("Live", "none", "v4"), ("Same bundle as", "", "v2")],
        ),
        ("build.status_changed", {"status": "running"}, {"status": "success"}, [("Status", "Running", "Successful")]),
        (
            "build.store_status_demoted",
            {"store_status": "live"},
            {"store_status": "approved", "replaced_by": 12},
            [("Store status", "Live", "Approved"), ("Replaced by", "", "Build #12")],
        ),
        (
            "build.force_update_applied",
            {"is_force_updated": False},
            {"is_force_updated": True},
            [("Force Update", "Not applied", "Applied")],
        ),
        ("build.metrics_cleared", {"devices": 50840}, {"devices": 0}, [("Devices", "50,840", "0")]),
        ("member.role_changed", {"role": "viewer"}, {"role": "admin"}, [("Role", "Viewer", "Admin")]),
        ("project.edited", {"scopes": []}, {"scopes": ["read", "release"]}, [("Scopes", "none", "read, release")]),
    ],
)
def test_changes_read_as_words(
    action: AuditAction, before: dict[str, Any], after: dict[str, Any], words: list[tuple[str, str, str]]
) -> None:
    assert describe_changes(AuditEntry(action=action, before=before, after=after)) == words


def test_a_field_that_nobody_named_keeps_its_own_name() -> None:
    entry = AuditEntry(action="project.edited", before={"odd_field": {"a": 1}}, after={"odd_field": "<b>"})
    assert describe_changes(entry) == [("Odd field", "{'a': 1}", "<b>")]
