"""The numbers of a CodePush over the release API. Definitions: docs/metrics.md."""

from datetime import datetime
from typing import Self

from ninja import Router, Schema
from pydantic import Field

from deployments.selectors import find_live_codepush, map_labels_with_same_bundle
from deployments.views.access import get_codepush_by_id
from deployments.views.cards import Card, make_cards
from metrics.selectors import measure_builds
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
    def of(cls, card: Card, as_of: datetime) -> Self:
        counted = ("downloads", "installs", "rollbacks", "download_reports", "install_reports", "rollback_reports")
        return cls(
            rollout_percent=card.codepush.rollout_percent,
            active_devices=card.active_devices,
            active_percent=card.active_devices * 100 / card.total_devices if card.total_devices else None,
            total_devices=card.total_devices,
            as_of=as_of,
            **{name: getattr(card.metrics, name) for name in counted},
        )


@read(router, "/codepushes/{deployment_id}/metrics", answer=MetricsOut)
def get_metrics(request: ApiRequest, deployment_id: str) -> MetricsOut:
    """The numbers on its card."""
    build, codepush = get_codepush_by_id(request.auth, deployment_id)
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    live = find_live_codepush(build)
    live_labels = map_labels_with_same_bundle([live])[live.pk] if live else set()
    return MetricsOut.of(make_cards([codepush], metrics, live, live_labels)[0], metrics.as_of)
