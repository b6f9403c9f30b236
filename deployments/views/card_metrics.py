"""The five numbers of a card, in words: what each says, what stands below it, and where its devices are listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builds.formats import format_count, format_plural, format_share
from deployments.policy.consequences import scale
from deployments.views.addresses import CodePushUrls

if TYPE_CHECKING:
    from deployments.views.cards import Card


@dataclass(slots=True)
class Metric:
    """`topic`: its explanation in templates/deployments/_metric_help.html. `address`: "" where there are no devices."""

    topic: str
    name: str
    value: str
    address: str
    hints: list[str]


def describe_metrics(card: "Card", urls: CodePushUrls) -> list[Metric]:
    """Rollout, Active, Downloads, Installs, Rollbacks. The card of the Live one says more about each."""
    codepush, numbers, live = card.codepush, card.metrics, card.is_live
    percent, label = codepush.rollout_percent, codepush.label
    meant = format_plural(scale(card.current_devices, percent), "device")
    meant = f"About {meant}" if percent < 100 else meant

    def count(topic: str, number: int, reports: int, *hints: str) -> Metric:
        times = format_plural(reports, "time") if reports != number else ""
        address = urls.devices(topic, label) if number else ""
        return Metric(topic, topic.capitalize(), format_count(number), address, _drop_empty((*hints, times)))

    return [
        Metric("rollout", "Rollout", f"{percent}%", "", [meant] if live and card.current_devices else []),
        Metric(
            "active",
            "Active",
            format_share(card.active_devices, card.total_devices),
            urls.devices("active", ",".join([label, *card.same_labels])) if card.active_devices else "",
            [format_plural(card.active_devices, "device")] if live else [],
        ),
        count(
            "downloads",
            numbers.downloads,
            numbers.download_reports,
            f"+{format_count(card.downloads_today)} today" if card.downloads_today else "",
        ),
        count(
            "installs",
            numbers.installs,
            numbers.install_reports,
            f"{format_share(numbers.installs, numbers.downloads)} of downloads" if live and numbers.downloads else "",
        ),
        count(
            "rollbacks",
            numbers.rollbacks,
            numbers.rollback_reports,
            f"{format_share(numbers.rollbacks, numbers.installs)} of installs"
            if live and numbers.rollbacks and numbers.installs
            else "",
        ),
    ]


def _drop_empty(hints: Iterable[str]) -> list[str]:
    return [hint for hint in hints if hint]
