"""From what the database knows to what a dialog foretells: the devices of a build, its updates, and the sources of a
rollback with how each did."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from builds.models import Build
from deployments import selectors
from deployments.models import ChangeRequest, CodePush
from deployments.policy.attention import Outcomes, was_rollback_outlier
from deployments.policy.consequences import OWN_BUNDLE, Fleet, Update
from deployments.policy.label import find_label_number, format_label
from deployments.policy.previews import (
    Preview,
    apply_settings,
    preview_copy,
    preview_edit,
    preview_force_update,
    preview_release,
)
from deployments.release_history import load_release_history
from metrics.selectors import BuildMetrics

# Older ones can be promoted from their cards. A list that nobody reads to its end is no choice.
LISTED_SOURCES = 25


@dataclass(frozen=True)
class Source:
    """An earlier success that a rollback can go back to. `live_for`: in all; None: it never was Live."""

    codepush: CodePush
    live_for: timedelta | None
    outcomes: Outcomes
    is_conspicuous: bool
    is_last_stable: bool = False

    @property
    def rate(self) -> str:
        """Device rollbacks of installs; "" when nobody installed it."""
        return self.outcomes.rate if self.outcomes.installs else ""


def load_fleet(build: Build, metrics: BuildMetrics) -> Fleet:
    """One query."""
    devices = {
        find_label_number(label) or OWN_BUNDLE: release.active_devices
        for label, release in metrics.by_label.items()
        if release.active_devices
    }
    return Fleet(devices, selectors.list_updates(build))


def preview_change(request: ChangeRequest, metrics: BuildMetrics, store_live: Build | None) -> Preview:
    """What approving the request would do now. Two queries."""
    codepush, asked = request.codepush, request.parameters
    if codepush is None:
        return preview_force_update(metrics.current_devices, store_live.store_version if store_live else "")
    fleet = load_fleet(request.build, metrics)
    if request.kind == ChangeRequest.Kind.RELEASE:
        update = Update(len(fleet.updates) + 1, codepush.bundle_id or 0, **asked)
        return preview_release(fleet, update, selectors.measure_costs(update.bundle_id))
    update = fleet.get(codepush.label_number or 0)
    if request.kind == ChangeRequest.Kind.PROMOTE:
        costs = selectors.measure_costs(update.bundle_id)
        return preview_copy(fleet, update, costs, is_mandatory=update.is_mandatory, **asked)
    after = apply_settings(update, asked)
    live = fleet.with_update(after).live or update
    return preview_edit(fleet, update, after, selectors.measure_costs(live.bundle_id))


def load_sources(build: Build, live: CodePush, metrics: BuildMetrics) -> list[Source]:
    """What a rollback from the Live one can go back to, newest first. Three queries."""
    live_for = load_release_history(build).measure_live(timezone.now())
    sources = []
    for codepush in selectors.list_rollback_sources(build, live)[:LISTED_SOURCES]:
        number = codepush.label_number or 0
        outcomes = _get_outcomes(metrics, number)
        previous = _get_outcomes(metrics, number - 1) if number > 1 else None
        is_conspicuous = was_rollback_outlier(outcomes, previous)
        sources.append(Source(codepush, live_for.get(number), outcomes, is_conspicuous))
    return mark_last_stable(sources)


def mark_last_stable(sources: list[Source]) -> list[Source]:
    """The newest one that is enabled and did not go back conspicuously often is marked, if there is one."""
    stable = next((s for s in sources if s.codepush.is_enabled and not s.is_conspicuous), None)
    return [replace(source, is_last_stable=source is stable) for source in sources]


def clamp_rollout(percent: int) -> int:
    """A rollout that can be counted with; one that cannot be saved is refused in words when it is sent."""
    return min(max(percent, 1), 100)


def _get_outcomes(metrics: BuildMetrics, label_number: int) -> Outcomes:
    release = metrics.of(format_label(label_number))
    return Outcomes(release.installs, release.rollbacks)
