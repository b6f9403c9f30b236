"""The one note of a card: what somebody should look at, else how it came to be as it is."""

from dataclasses import dataclass
from datetime import datetime

from builds.formats import format_duration, format_moment
from deployments.models import CodePush
from deployments.policy.label import format_label
from deployments.release_history import Disabling, ReleaseHistory
from metrics.attention import Attention


@dataclass(frozen=True)
class Note:
    """`is_warning`: amber. `leads_to_failures`: the failures view tells more."""

    sentence: str
    title: str = ""
    is_warning: bool = False
    leads_to_failures: bool = False


def choose_note(codepush: CodePush, attention: Attention | None, history: ReleaseHistory, now: datetime) -> Note | None:
    """Failing devices come first, then a rollout that stands still, who disabled it, and why it was made."""
    if attention is not None:
        return Note(attention.sentence, is_warning=True, leads_to_failures=attention.is_outlier)
    if codepush.is_successful and not codepush.is_enabled:
        disabling = history.find_disabling(codepush.label_number or 0)
        if disabling is not None:
            return Note(describe_disabling(disabling, now))
    return Note(codepush.reason, title="Reason:") if codepush.reason else None


def describe_disabling(disabling: Disabling, now: datetime) -> str:
    """As "Disabled by Elif Kaya on 17 Nov, 12:11, after 3 h 8 min. v4 became Live again."."""
    sentence = f"Disabled by {disabling.actor_name} on {format_moment(disabling.at, now)}"
    span = disabling.ended
    if span is None:
        return f"{sentence}."
    live = f"{format_label(span.followed_by)} became Live again" if span.followed_by else "No update was Live then"
    return f"{sentence}, after {format_duration((disabling.at - span.since).total_seconds())}. {live}."
