"""The values that the decision is made of: what a device asks, what is known of its build, what it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from deployments.policy.label import format_label
from deployments.policy.version_range import Version


@dataclass(frozen=True, slots=True)
class UpdateQuery:
    """One update check, as the device sent it. An absent parameter is "" (or False)."""

    deployment_key: str
    app_version: str
    version: Version
    package_hash: str = ""
    label: str = ""
    client_unique_id: str = ""
    is_companion: bool = False
    # The client says that it can apply binary patches (docs/protocol.md). Never assumed.
    accepts_patches: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """Something a device can fetch: its name in the bundle storage, and its length."""

    storage_name: str
    size_bytes: int


_NO_DIFFS: Mapping[str, Download] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enabled success that may still be offered, with everything an offer needs."""

    label_number: int
    deployment_id: str
    package_hash: str
    whole: Download
    rollout_percent: int = 100
    is_mandatory: bool = False
    description: str = ""
    # A device whose own label is below this skipped a mandatory update on its way here (0: there is none).
    mandatory_label: int = 0
    # Package hash that the device runs → the diff from it.
    diffs: Mapping[str, Download] = field(default_factory=lambda: _NO_DIFFS)
    # The same for clients that accept binary patches. Where there is one, it is smaller than the diff.
    patches: Mapping[str, Download] = field(default_factory=lambda: _NO_DIFFS)

    @property
    def label(self) -> str:
        return format_label(self.label_number)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Frozen view of one build: all that `decide` needs, precomputed so that an answer costs O(candidates).

    `candidates` runs newest first from the unfinished rollouts down to the newest finished one, which is last.
    """

    deployment_key: str
    revision: int
    store_version: str
    version: Version
    is_successful: bool = True
    is_force_updated: bool = False
    # Of the store-live build in the same slot; "" when there is none.
    live_store_version: str = ""
    candidates: tuple[Candidate, ...] = ()
    # Labels run without gaps from 1 to this.
    newest_label: int = 0
    disabled_labels: frozenset[int] = frozenset()
    # Package hash → the newest label that carried it.
    label_by_package_hash: Mapping[str, int] = field(default_factory=dict)


class Reason(StrEnum):
    """Why the answer is what it is, in the order of the rules in `decide`."""

    BUILD_NOT_SUCCESSFUL = "build_not_successful"
    FORCE_UPDATE = "force_update"
    FORCE_UPDATE_WITHOUT_STORE_LIVE_BUILD = "force_update_without_store_live_build"
    NOTHING_ENABLED = "nothing_enabled"
    BINARY_OLDER = "binary_older"
    BINARY_NEWER = "binary_newer"
    OUTSIDE_ROLLOUT = "outside_rollout"
    DEVICE_IS_AHEAD = "device_is_ahead"
    UP_TO_DATE = "up_to_date"
    OFFERED_WHOLE = "offered_whole"
    OFFERED_DIFF = "offered_diff"
    OFFERED_PATCH = "offered_patch"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `offer` and `download` are set together, or neither is."""

    reason: Reason
    offer: Candidate | None = None
    download: Download | None = None
    is_mandatory: bool = False
    # Echoes the device's own string in an offer; names a store version when the device should know one; else "".
    app_version: str = ""
    update_app_version: bool = False
    should_run_binary_version: bool = False
