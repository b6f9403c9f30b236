"""Which changes of a build's state are allowed. (A CodePush's: `services/checks.py`.)"""

from collections.abc import Mapping
from typing import Any

# A build that finished stays finished: its binary exists, or does not.
BUILD_STATUS: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"running", "success", "failed", "canceled"}),
    "running": frozenset({"success", "failed", "canceled"}),
    "success": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}


def may_change_build_status(current: str, wanted: str) -> bool:
    return wanted in BUILD_STATUS[current]


def widens_reach(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an edit gives an update to more devices, or forces it on them: settings of a CodePush before and after.

    What is disabled afterwards reaches nobody. Less of something is never more, whatever else devices get instead.
    """
    if not after["is_enabled"]:
        return False
    is_forced = after["is_mandatory"] and not before["is_mandatory"]
    return not before["is_enabled"] or after["rollout_percent"] > before["rollout_percent"] or is_forced


def may_set_store_status(build_status: str) -> bool:
    """Only a successful build has a place in a store. Source: App Maker, "Update store status"."""
    return build_status == "success"


def find_force_update_obstacle(*, is_store_live: bool, was_store_live: bool, slot_has_store_live: bool) -> str | None:
    """Why Force Update cannot be applied, as a sentence; None when it can.

    Only a build that was once store-live and has been replaced. Source: App Maker, "Force Update".
    """
    if is_store_live:
        return (
            "This build is live in the store: its users would have no newer version to install. "
            "Force Update becomes available once another build replaces it."
        )
    if not was_store_live:
        return "This build was never live in the store, so no store user has it."
    if not slot_has_store_live:
        return (
            "No build is live in the store, so there is nothing to send users to. Mark the newer build as Live first."
        )
    return None
