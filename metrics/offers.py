"""What one device would be offered if it asked now, and why: the same snapshot and the same `decide` that answer it."""

from dataclasses import dataclass

from builds.errors import InvalidInput
from builds.models import Build
from deployments import snapshots
from deployments.models import Bundle
from deployments.policy.label import find_label_number, format_label
from deployments.policy.trace import Trace, trace_decision
from deployments.policy.types import Snapshot, UpdateQuery
from deployments.policy.version_range import Version, find_version
from deployments.snapshot_builder import build_snapshot
from metrics.aggregation import hash_client
from metrics.devices import DeviceRow, find_device
from metrics.models import STORE_BUNDLE

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
    row: DeviceRow | None
    filled: tuple[Filled, ...]


def explain_device(
    build: Build, *, client_unique_id: str = "", app_version: str = "", label: str = "", package_hash: str = ""
) -> Explanation:
    """What the device with this id gets now. What is left empty is filled in from its reports, else from the build.

    A device that nobody knows is asked for like any other; "" for the id is a device that sends none. `label`: as a
    device sends it, or STORE_LABEL. Three queries at most, and those of a cold snapshot. Raises InvalidInput for a
    version that an update check is refused for.
    """
    row = find_device(build, hash_client(client_unique_id), ()) if client_unique_id else None
    return _explain(build, _find_snapshot(build), row, client_unique_id, app_version, label, package_hash)


def find_offer(build: Build, row: DeviceRow, *, client_unique_id: str = "") -> Explanation | None:
    """The same for what the device last said it runs. None when it depends on the client id, which nobody keeps."""
    snapshot = _find_snapshot(build)
    if not client_unique_id and any(candidate.rollout_percent < 100 for candidate in snapshot.candidates):
        return None
    return _explain(build, snapshot, row, client_unique_id)


def _explain(
    build: Build,
    snapshot: Snapshot,
    row: DeviceRow | None,
    client_unique_id: str,
    app_version: str = "",
    label: str = "",
    package_hash: str = "",
) -> Explanation:
    filled = []
    if not app_version:
        filled.append(_fill_version(build, row))
        app_version = filled[-1].value
    if label == STORE_LABEL:
        label = ""
    elif not label and not package_hash:
        filled.append(_fill_label(row))
        label = filled[-1].value
    if not package_hash and (known := _find_hash(build, label)):
        filled.append(Filled("package_hash", known, f"that of {label}"))
        package_hash = known
    version = read_version(app_version)
    query = UpdateQuery(build.deployment_key, app_version, version, package_hash, label, client_unique_id)
    return Explanation(query, trace_decision(snapshot, query), row, tuple(filled))


def read_version(app_version: str) -> Version:
    """Raises InvalidInput for what an update check is refused for."""
    version = find_version(app_version)
    if version is None:
        sentence = f"A device with app_version {app_version!r} is answered 400. Use a version such as 3.0.0."
        raise InvalidInput(sentence, field="app_version")
    return version


def _find_snapshot(build: Build) -> Snapshot:
    """What devices are answered from; read anew for a build so young that its key still counts as unknown."""
    snapshot = snapshots.store.get(build.deployment_key) or build_snapshot(build.deployment_key)
    if snapshot is None:
        raise Build.DoesNotExist(build.deployment_key)
    return snapshot


def _fill_version(build: Build, row: DeviceRow | None) -> Filled:
    said = row.software.app_version if row and row.software else ""
    # Reports may say anything; an update check with this would be refused.
    if find_version(said) is not None:
        return Filled("app_version", said, "as its latest start said")
    return Filled("app_version", build.store_version, "the build's own, as no report of it says another")


def _fill_label(row: DeviceRow | None) -> Filled:
    number = row.state.label_number if row else None
    if number is None:
        return Filled("label", "", "no report says what it runs, so the bundle of the store")
    if number == STORE_BUNDLE:
        return Filled("label", "", "the bundle of the store, as its latest start said")
    return Filled("label", format_label(number), "as its latest start said")


def _find_hash(build: Build, label: str) -> str:
    """Of the bundle that this label of the build carries; "" for none."""
    number = find_label_number(label)
    if number is None:
        return ""
    bundles = Bundle.objects.filter(codepushes__build=build, codepushes__label_number=number)
    return bundles.values_list("package_hash", flat=True).first() or ""
