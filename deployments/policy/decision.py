"""What a device is offered. Pure and total: every snapshot and query give a decision; the default is "no update"."""

from deployments.policy.label import find_label_number
from deployments.policy.rollout import is_included
from deployments.policy.types import Candidate, Decision, Download, Reason, Snapshot, UpdateQuery


def decide(snapshot: Snapshot, query: UpdateQuery) -> Decision:
    """The first rule that applies wins. Source: the product's rules, docs/protocol.md "What a device is offered"."""
    return _refuse_build(snapshot) or _refuse_binary(snapshot, query) or _choose_update(snapshot, query)


def _refuse_build(snapshot: Snapshot) -> Decision | None:
    """The red buttons come first and depend on nothing else."""
    if not snapshot.is_successful:
        return Decision(Reason.BUILD_NOT_SUCCESSFUL, should_run_binary_version=True)
    if not snapshot.is_force_updated:
        return None
    if not snapshot.live_store_version:
        # Nowhere to send the device: the store-live build was taken out of the store after Force Update was applied.
        return Decision(Reason.FORCE_UPDATE_WITHOUT_STORE_LIVE_BUILD, should_run_binary_version=True)
    return Decision(
        Reason.FORCE_UPDATE,
        app_version=snapshot.live_store_version,
        update_app_version=True,
        should_run_binary_version=True,
    )


def _refuse_binary(snapshot: Snapshot, query: UpdateQuery) -> Decision | None:
    """An update fits the build's exact store version, unless the device asks to ignore that (is_companion)."""
    if not snapshot.candidates:
        return Decision(Reason.NOTHING_ENABLED, should_run_binary_version=True)
    if query.is_companion or query.version == snapshot.version:
        return None
    is_older = query.version < snapshot.version
    return Decision(
        Reason.BINARY_OLDER if is_older else Reason.BINARY_NEWER,
        app_version=snapshot.store_version,
        update_app_version=is_older,
        should_run_binary_version=True,
    )


def _choose_update(snapshot: Snapshot, query: UpdateQuery) -> Decision:
    candidate = next(
        (c for c in snapshot.candidates if is_included(c.deployment_id, query.client_unique_id, c.rollout_percent)),
        None,
    )
    if candidate is None:
        return Decision(Reason.OUTSIDE_ROLLOUT, should_run_binary_version=True)
    own_label = find_own_label(snapshot, query)
    if own_label > candidate.label_number and own_label not in snapshot.disabled_labels:
        # A lowered rollout stops an update without taking it back; only disabling takes it back.
        return Decision(Reason.DEVICE_IS_AHEAD)
    if candidate.package_hash == query.package_hash:
        return Decision(Reason.UP_TO_DATE)
    return _offer(candidate, query, own_label)


def _offer(candidate: Candidate, query: UpdateQuery, own_label: int) -> Decision:
    reason, download = _find_download(candidate, query)
    return Decision(
        reason,
        offer=candidate,
        download=download,
        is_mandatory=candidate.is_mandatory or own_label < candidate.mandatory_label,
        # Byte for byte: on every start the client compares this string with its own version (docs/protocol.md).
        app_version=query.app_version,
    )


def _find_download(candidate: Candidate, query: UpdateQuery) -> tuple[Reason, Download]:
    """The least that gets the device there."""
    if query.accepts_patches and (patch := candidate.patches.get(query.package_hash)):
        return Reason.OFFERED_PATCH, patch
    if diff := candidate.diffs.get(query.package_hash):
        return Reason.OFFERED_DIFF, diff
    return Reason.OFFERED_WHOLE, candidate.whole


def find_own_label(snapshot: Snapshot, query: UpdateQuery) -> int:
    """The number of the update that the device runs; 0, older than everything, when it is not in the history.

    By label; only a device that sends none is found by package hash.
    """
    if not query.label:
        return snapshot.label_by_package_hash.get(query.package_hash, 0)
    number = find_label_number(query.label) or 0
    return number if number <= snapshot.newest_label else 0
