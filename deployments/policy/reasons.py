"""Why a device is told what it is told, in sentences for people."""

from collections.abc import Mapping

from deployments.policy.decision import find_own_label
from deployments.policy.label import format_label
from deployments.policy.types import Decision, Reason, Snapshot, UpdateQuery

# Complete; names in braces are filled in by `explain`.
SENTENCES: Mapping[Reason, str] = {
    Reason.BUILD_NOT_SUCCESSFUL: "Nothing: the build is not successful, so its devices get no CodePush.",
    Reason.FORCE_UPDATE: "Nothing: Force Update is applied, and the device is sent to the store for {store_live}.",
    Reason.FORCE_UPDATE_WITHOUT_STORE_LIVE_BUILD: (
        "Nothing: Force Update is applied, but no build is live in the store to send the device to."
    ),
    Reason.NOTHING_ENABLED: "Nothing: no successful update of this build is enabled.",
    Reason.BINARY_OLDER: (
        "Nothing: its binary is {app_version}, older than {store_version}, and it is told to update from the store."
    ),
    Reason.BINARY_NEWER: "Nothing: its binary is {app_version}, and updates of this build fit {store_version} only.",
    Reason.OUTSIDE_ROLLOUT: "Nothing: it is outside the rollout of every enabled update.",
    Reason.DEVICE_IS_AHEAD: (
        "Nothing: it runs {own}, which is enabled and newer than every update whose rollout includes it."
    ),
    Reason.UP_TO_DATE: "Nothing: it already runs the bundle of the newest update whose rollout includes it.",
    Reason.OFFERED_WHOLE: "{offer}, the newest enabled update whose rollout includes it, as a whole bundle.",
    Reason.OFFERED_DIFF: (
        "{offer}, the newest enabled update whose rollout includes it, as the difference to what it runs."
    ),
    Reason.OFFERED_PATCH: (
        "{offer}, the newest enabled update whose rollout includes it, as a binary patch of what it runs."
    ),
}


def explain(snapshot: Snapshot, query: UpdateQuery, decision: Decision) -> str:
    """What the device gets and why, in one sentence."""
    return SENTENCES[decision.reason].format(
        app_version=query.app_version,
        store_version=snapshot.store_version,
        store_live=snapshot.live_store_version,
        own=format_label(find_own_label(snapshot, query)),
        offer=decision.offer.label if decision.offer else "",
    )
