"""What one device would be offered if it asked now, and why: the same snapshot and the same `decide` that answer it."""

from dataclasses import dataclass

from builds.errors import InvalidInput
from builds.models import Build
from deployments import snapshots
from deployments.models import Bundle
from deployments.policy.label import find_label_number, format_label
from deployments.policy.trace import Trace, trace_decision
from deployments.policy.types import Snapshot, UpdateQuery
from deployments.policy.version_range import find_version
from deployments.snapshot_builder import build_snapshot
from metrics.aggregation import hash_client
from metrics.device_state import DeviceState
from metrics.devices import find_state
from metrics.models import STORE_BUNDLE, Software

# In place of a label: the device runs the bundle of the store, and so sends none.
STORE_LABEL = "store"


@dataclass(frozen=True, slots=True)
class Filled:
    """Something that nobody gave: the field, the value in its place ("" for none), and where that comes from."""

    field: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a device would be answered, step by step, and as whom it was asked."""

    query: UpdateQuery
    trace: Trace
    # None: no device with this id ever reported to the build.
    state: DeviceState | None
    filled: tuple[Filled, ...]


def explain_device(
    build: Build, *, client_unique_id: str = "", app_version: str = "", label: str = "", package_hash: str = ""
) -> Explanation:
    """What the device with this id gets now. What is left empty is filled in from its reports, else from the build.

    A device that nobody knows is asked for like any other; "" for the id is a device that sends none. `label`: as a
    device sends it, or STORE_LABEL. Three queries at most, and those of a cold snapshot. Raises InvalidInput for a
    version that an update check is refused for.
    """
    state = find_state(build, hash_client(client_unique_id)) if client_unique_id else None
    return _explain(build, _find_snapshot(build), state, client_unique_id, app_version, label, package_hash)


def find_offer(build: Build, state: DeviceState, *, client_unique_id: str = "") -> Explanation | None:
    """The same for what the device last said it runs. None when it depends on the client id, which nobody keeps."""
    snapshot = _find_snapshot(build)
    if not client_unique_id and any(candidate.rollout_percent < 100 for candidate in snapshot.candidates):
        return None
    return _explain(build, snapshot, state, client_unique_id)


def _explain(
    build: Build,
    snapshot: Snapshot,
    state: DeviceState | None,
    client_unique_id: str,
    app_version: str = "",
    label: str = "",
    package_hash: str = "",
) -> Explanation:
    filled = []
    if not app_version:
        filled.append(_fill_version(build, state))
        app_version = filled[-1].value
    if label == STORE_LABEL:
        label = ""
    elif not label and not package_hash:
        filled.append(_fill_label(state))
        label = filled[-1].value
    if not package_hash and (known := _find_hash(build, label)):
        filled.append(Filled("package_hash", known, f"that of {label}"))
        package_hash = known
    version = find_version(app_version)
    if version is None:
        sentence = f"A device with app_version {app_version!r} is answered 400. Use a version such as 3.0.0."
        raise InvalidInput(sentence, field="app_version")
    query = UpdateQuery(build.deployment_key, app_version, version, package_hash, label, client_unique_id)
    return Explanation(query, trace_decision(snapshot, query), state, tuple(filled))


def _find_snapshot(build: Build) -> Snapshot:
    """What devices are answered from; read anew for a build so young that its key still counts as unknown."""
    snapshot = snapshots.store.get(build.deployment_key) or build_snapshot(build.deployment_key)
    if snapshot is None:
        raise Build.DoesNotExist(build.deployment_key)
    return snapshot


def _fill_version(build: Build, state: DeviceState | None) -> Filled:
    software = Software.objects.filter(pk=state.software_id).first() if state and state.software_id else None
    # Reports may say anything; an update check with this would be refused.
    if software is not None and find_version(software.app_version) is not None:
        return Filled("app_version", software.app_version, "as its latest start said")
    return Filled("app_version", build.store_version, "the build's own, as no report of it says another")


def _fill_label(state: DeviceState | None) -> Filled:
    if state is None or state.label_number is None:
        return Filled("label", "", "no report says what it runs, so the bundle of the store")
    if state.label_number == STORE_BUNDLE:
        return Filled("label", "", "the bundle of the store, as its latest start said")
    return Filled("label", format_label(state.label_number), "as its latest start said")


def _find_hash(build: Build, label: str) -> str:
    """Of the bundle that this label of the build carries; "" for none."""
    number = find_label_number(label)
    if number is None:
        return ""
    bundles = Bundle.objects.filter(codepushes__build=build, codepushes__label_number=number)
    return bundles.values_list("package_hash", flat=True).first() or ""
