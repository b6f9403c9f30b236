"""The numbers of a CodePush over the release API. Definitions: docs/metrics.md."""

from collections.abc import Collection
from datetime import datetime
from typing import Self

from ninja import Router, Schema
from pydantic import Field

from deployments.models import CodePush
from deployments.selectors import map_labels_with_same_bundle
from deployments.views.access import get_codepush_by_id
from metrics.selectors import BuildMetrics, ReleaseMetrics, measure_builds
from release_api.operations import ApiRequest, read

router = Router(tags=["CodePushes"])


class MetricsOut(Schema):
    """Each count is of distinct devices; beside it stands how many reports came in."""

    rollout_percent: int
    active_devices: int = Field(description="Devices that run it now; of the Live one, whatever label its bundle has.")
    active_percent: float | None = Field(description="Of all devices of the build; null without any.")
    downloads: int
    installs: int
    rollbacks: int = Field(description="Devices that went back by themselves.")
    download_reports: int
    install_reports: int
    rollback_reports: int
    total_devices: int = Field(description="Of the build.")
    as_of: datetime = Field(description="What was reported by then is in the numbers.")

    @classmethod
    def of(cls, codepush: CodePush, metrics: BuildMetrics, labels: Collection[str]) -> Self:
        """`labels`: under which devices count as running it."""
        active, total = metrics.count_active(labels), metrics.total_devices
        counted = ("downloads", "installs", "rollbacks", "download_reports", "install_reports", "rollback_reports")
        release = metrics.of(codepush.label) if codepush.label else ReleaseMetrics()
        return cls(
            rollout_percent=codepush.rollout_percent,
            active_devices=active,
            active_percent=active * 100 / total if total else None,
            total_devices=total,
            as_of=metrics.as_of,
            **{name: getattr(release, name) for name in counted},
        )


@read(router, "/codepushes/{deployment_id}/metrics", answer=MetricsOut)
def get_metrics(request: ApiRequest, deployment_id: str) -> MetricsOut:
    """The numbers on its card."""
    build, codepush = get_codepush_by_id(request.auth, deployment_id)
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    labels = {codepush.label} - {""}
    if codepush.is_live:  # type: ignore[attr-defined]
        # Devices that run the same bundle under an older label will never download it again.
        labels = map_labels_with_same_bundle([codepush])[codepush.pk]
    return MetricsOut.of(codepush, metrics, labels)
