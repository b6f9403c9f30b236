"""All successes of one build and when each was Live: what cards, the Live panel and the log of a CodePush tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models.functions import Coalesce

from builds.models import AuditAction, AuditEntry, Build
from deployments.models import BundleDiff, CodePush
from deployments.policy.label import format_label
from deployments.policy.live_spans import LiveEvent, LiveSpan, find_live_since, measure_live, replay_live_spans


class Release(NamedTuple):
    label_number: int
    bundle_id: int
    published_at: datetime
    deployment_id: str


class PatchSize(NamedTuple):
    """How much a device downloads that has the bundle of the earlier label."""

    from_label: str
    size_bytes: int


class Disabling(NamedTuple):
    """Somebody disabled an update. `ended`: the stretch in which it was Live, when that is what this ended."""

    at: datetime
    actor_name: str
    ended: LiveSpan | None


@dataclass(frozen=True)
class ReleaseHistory:
    """The successes of a build, lowest label first, without gaps; `spans`: which of them was Live when.

    `disabled_by`: {label number: (when, who)} of the last time that somebody disabled it.
    """

    releases: Sequence[Release]
    spans: Sequence[LiveSpan]
    disabled_by: Mapping[int, tuple[datetime, str]] = field(default_factory=dict)

    @property
    def live_since(self) -> datetime | None:
        """Since when the Live one has been Live, without a break; None when none is."""
        return find_live_since(self.spans)

    def measure_live(self, now: datetime) -> dict[int, timedelta]:
        """{label number: how long it was Live in all}, labels that never were left out."""
        return measure_live(self.spans, now)

    def spans_of(self, label_number: int) -> list[LiveSpan]:
        """When this one was Live, in order."""
        return [span for span in self.spans if span.label_number == label_number]

    def find_disabling(self, label_number: int) -> Disabling | None:
        """How it came to be disabled, by the audit log; None when nobody ever did."""
        if label_number not in self.disabled_by:
            return None
        at, actor_name = self.disabled_by[label_number]
        ended = next((span for span in self.spans_of(label_number) if span.until == at), None)
        return Disabling(at, actor_name, ended)

    def labels_with_bundle(self, bundle_id: int | None) -> set[str]:
        """Labels under which devices run this bundle."""
        return {format_label(release.label_number) for release in self.releases if release.bundle_id == bundle_id}

    def find_previous_different(self, label_number: int) -> Release | None:
        """The newest earlier success with another bundle: what most devices come from."""
        return self._previous_different.get(label_number)

    @cached_property
    def _previous_different(self) -> dict[int, Release]:
        found: dict[int, Release] = {}
        for before, release in zip(self.releases, self.releases[1:], strict=False):
            earlier = before if before.bundle_id != release.bundle_id else found.get(before.label_number)
            if earlier is not None:
                found[release.label_number] = earlier
        return found


def load_release_history(build: Build) -> ReleaseHistory:
    """Two queries, which read a row per success and one per time that somebody disabled or enabled one."""
    rows = CodePush.objects.filter(build=build).successful().order_by("label_number")
    releases = [
        Release(number, bundle_id, published_at, deployment_id)
        for number, bundle_id, published_at, deployment_id in rows.values_list(
            "label_number", "bundle_id", Coalesce("finished_at", "created_at"), "deployment_id"
        )
        if number is not None and bundle_id is not None
    ]
    numbers = {release.deployment_id: release.label_number for release in releases}
    events = [LiveEvent(release.published_at, release.label_number, is_enabled=True) for release in releases]
    switches = AuditEntry.objects.filter(
        build=build, action=AuditAction.CODEPUSH_EDITED, after__has_key="is_enabled"
    ).order_by("id")
    disabled_by = {}
    for deployment_id, at, name, after in switches.values_list("deployment_id", "created_at", "actor_name", "after"):
        if deployment_id in numbers:
            events.append(LiveEvent(at, numbers[deployment_id], is_enabled=after["is_enabled"]))
            if not after["is_enabled"]:
                disabled_by[numbers[deployment_id]] = (at, name)
    return ReleaseHistory(releases, replay_live_spans(events), disabled_by)


def measure_patches(history: ReleaseHistory, codepushes: Iterable[CodePush]) -> dict[int, PatchSize]:
    """{CodePush id: the diff to it from the previous different bundle}, those without one left out. One query."""
    earlier = {
        codepush: release
        for codepush in codepushes
        if (release := history.find_previous_different(codepush.label_number or 0))
    }
    diffs = BundleDiff.objects.filter(
        to_bundle_id__in={codepush.bundle_id for codepush in earlier},
        from_bundle_id__in={release.bundle_id for release in earlier.values()},
    )
    rows = diffs.values_list("from_bundle_id", "to_bundle_id", "size_bytes")
    sizes: dict[tuple[int, int | None], int] = {(start, end): size_bytes for start, end, size_bytes in rows}
    return {
        codepush.pk: PatchSize(format_label(release.label_number), sizes[release.bundle_id, codepush.bundle_id])
        for codepush, release in earlier.items()
        if (release.bundle_id, codepush.bundle_id) in sizes
    }
