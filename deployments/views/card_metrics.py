"""The five numbers of a card, in words: what each says, what stands below it, and where its devices are listed."""

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
    numbers, live = card.metrics, card.is_live
    today = f"+{format_count(card.downloads_today)} today" if card.downloads_today else ""
    installed = f"{format_share(numbers.installs, numbers.downloads)} of downloads" if numbers.downloads else ""
    has_both = numbers.rollbacks and numbers.installs
    went_back = f"{format_share(numbers.rollbacks, numbers.installs)} of installs" if has_both else ""

    def count(topic: str, number: int, reports: int, hint: str) -> Metric:
        hints = (hint, format_plural(reports, "time") if reports != number else "")
        address = urls.devices(topic, card.codepush.label) if number else ""
        return Metric(topic, topic.capitalize(), format_count(number), address, [hint for hint in hints if hint])

    return [
        _describe_rollout(card),
        _describe_active(card, urls),
        count("downloads", numbers.downloads, numbers.download_reports, today),
        count("installs", numbers.installs, numbers.install_reports, installed if live else ""),
        count("rollbacks", numbers.rollbacks, numbers.rollback_reports, went_back if live else ""),
    ]


def _describe_rollout(card: "Card") -> Metric:
    percent = card.codepush.rollout_percent
    meant = format_plural(scale(card.current_devices, percent), "device")
    hint = f"About {meant}" if percent < 100 else meant
    return Metric("rollout", "Rollout", f"{percent}%", "", [hint] if card.is_live and card.current_devices else [])


def _describe_active(card: "Card", urls: CodePushUrls) -> Metric:
    share = format_share(card.active_devices, card.total_devices)
    address = urls.devices("active", ",".join([card.codepush.label, *card.same_labels])) if card.active_devices else ""
    hints = [format_plural(card.active_devices, "device")] if card.is_live else []
    return Metric("active", "Active", share, address, hints)
