"""What one device would be offered if it asked now, and why: the same snapshot and the same `decide` that answer it."""

from dataclasses import dataclass

from builds.models import Build
from deployments import snapshots
from deployments.models import CodePush
from deployments.policy.decision import decide
from deployments.policy.reasons import explain
from deployments.policy.types import Decision, UpdateQuery
from deployments.policy.version_range import find_version
from metrics.device_state import DeviceState


@dataclass(frozen=True)
class Offer:
    """The answer to an update check, beside the sentence that says why."""

    query: UpdateQuery
    decision: Decision
    sentence: str


def find_offer(build: Build, state: DeviceState, *, client_unique_id: str = "", app_version: str = "") -> Offer | None:
    """The answer for what the device last said it runs; `app_version` "" stands for the build's own.

    None when it depends on the client id, which nobody keeps: an unfinished rollout includes some ids and not others.
    One query, and those of a cold snapshot.
    """
    snapshot = snapshots.store.get(build.deployment_key)
    if snapshot is None:
        return None
    if not client_unique_id and any(candidate.rollout_percent < 100 for candidate in snapshot.candidates):
        return None
    release = CodePush.objects.filter(build=build, label_number=state.label_number or 0).select_related("bundle")
    running = release.defer("bundle__manifest").first()
    app_version = app_version or build.store_version
    query = UpdateQuery(
        deployment_key=build.deployment_key,
        app_version=app_version,
        version=find_version(app_version) or snapshot.version,
        package_hash=running.bundle.package_hash if running is not None and running.bundle else "",
        label=running.label if running is not None else "",
        client_unique_id=client_unique_id,
    )
    decision = decide(snapshot, query)
    return Offer(query, decision, explain(snapshot, query, decision))
