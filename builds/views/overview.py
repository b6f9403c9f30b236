"""Builds beside what is Live on them and how many devices run it: rows of the table and tiles."""

from collections.abc import Iterable
from dataclasses import dataclass

from builds.models import Build
from deployments import selectors
from deployments.models import CodePush
from deployments.policy.attention import Outcomes
from metrics.selectors import BuildMetrics


@dataclass(frozen=True)
class BuildRow:
    """One build. `devices` run it now; `active_devices` of `total_devices` that ever reported run what is Live.

    `outcomes`: what became of what is Live on devices.
    """

    build: Build
    live: CodePush | None
    devices: int
    active_devices: int
    total_devices: int
    outcomes: Outcomes


def make_build_rows(builds: Iterable[Build], metrics: dict[str, BuildMetrics]) -> dict[int, BuildRow]:
    """{build id: its row}, in the order given. Two queries; `metrics` by deployment key."""
    listed = list(builds)
    live_by_build = selectors.find_live_by_build(build.pk for build in listed)
    labels = selectors.map_labels_with_same_bundle(live_by_build.values())
    rows = {}
    for build in listed:
        live = live_by_build.get(build.pk)
        measured = metrics[build.deployment_key]
        numbers = measured.of(live.label if live else "")
        rows[build.pk] = BuildRow(
            build=build,
            live=live,
            devices=measured.current_devices,
            active_devices=measured.count_active(labels[live.pk]) if live else 0,
            total_devices=measured.total_devices,
            outcomes=Outcomes(numbers.installs, numbers.rollbacks),
        )
    return rows
