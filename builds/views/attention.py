"""What needs attention in all projects of a person, in words, each with the card it is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from deployments.listings import list_live, list_unanswered_failures
from deployments.models import CodePush
from deployments.policy.attention import name_update
from deployments.views.addresses import card_url
from metrics.attention import find_attention

# A failure that nobody answered for so long was left on purpose.
FAILURES_SHOWN_FOR = timedelta(days=14)


class Kind(StrEnum):
    """Most urgent first."""

    OUTLIER = "outlier"
    FAILED = "failed"
    STALLED = "stalled"


@dataclass(frozen=True)
class Item:
    """One CodePush and why somebody should look at it."""

    kind: Kind
    sentence: str
    codepush: CodePush
    at: datetime

    @property
    def url(self) -> str:
        return card_url(self.codepush.build, self.codepush.deployment_id)


def list_items(user: User | AnonymousUser) -> list[Item]:
    """Most urgent first, and of one kind the newest. At most six queries, however many projects and updates."""
    now = timezone.now()
    live = {codepush.pk: codepush for codepush in list_live(user)}
    items = [
        _make_item(
            Kind.OUTLIER if found.is_outlier else Kind.STALLED, live[pk], name_update(found.sentence, live[pk].label)
        )
        for pk, found in find_attention(live.values()).items()
    ]
    items += [
        _make_item(Kind.FAILED, failed, f"CodePush failed: {failed.failure_reason}")
        for failed in list_unanswered_failures(user, since=now - FAILURES_SHOWN_FOR)
    ]
    return sorted(items, key=lambda item: (list(Kind).index(item.kind), now - item.at))


def _make_item(kind: Kind, codepush: CodePush, sentence: str) -> Item:
    return Item(kind, sentence, codepush, codepush.finished_at or codepush.created_at)
