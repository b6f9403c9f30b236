"""What a CodePush card shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from deployments.models import CodePush
from deployments.release_history import PatchSize, ReleaseHistory
from deployments.views.addresses import CodePushUrls
from deployments.views.card_metrics import Metric, describe_metrics
from deployments.views.card_notes import Note, choose_note
from deployments.views.waiting import WaitingChange
from metrics.attention import Attention
from metrics.selectors import BuildMetrics, ReleaseMetrics


@dataclass(frozen=True)
class Step:
    name: str
    is_done: bool
    is_now: bool


# What the worker does, as people follow it: step by step, what it is called ahead, while it is done, and when it is.
_STEPS = (
    ({CodePush.Step.QUEUED}, "Upload", "Uploading", "Uploaded"),
    ({CodePush.Step.CHECKING, CodePush.Step.STORING}, "Check", "Checking", "Checked"),
    ({CodePush.Step.DIFFING}, "Build patches", "Building patches", "Patches built"),
    ({CodePush.Step.PUBLISHING}, "Publish as Live", "Publishing as Live", "Published"),
)


@dataclass(frozen=True)
class Deck:
    """What all cards of a build are made from. `live_labels`: under which labels devices run the Live one's bundle."""

    live: CodePush | None
    live_labels: set[str]
    metrics: BuildMetrics
    history: ReleaseHistory
    patches: Mapping[int, PatchSize]
    attention: Mapping[int, Attention]
    downloads_today: int
    waiting: Mapping[int | None, WaitingChange]
    urls: CodePushUrls


@dataclass(frozen=True)
class Card:
    """One CodePush with its numbers. `same_labels`: under which labels devices run its bundle (the Live one only)."""

    codepush: CodePush
    is_live: bool
    metrics: ReleaseMetrics
    active_devices: int
    total_devices: int
    current_devices: int
    same_labels: list[str]
    patch: PatchSize | None
    live_for: timedelta | None
    downloads_today: int
    note: Note | None
    waiting: WaitingChange | None
    build_urls: CodePushUrls

    @property
    def state(self) -> str:
        return find_state(self.codepush, is_live=self.is_live)

    @property
    def numbers(self) -> list[Metric]:
        return describe_metrics(self, self.build_urls)

    @property
    def urls(self) -> dict[str, str]:
        """By name, as `CodePushUrls` has them: "log", "edit", …"""
        return self.build_urls.of(self.codepush.deployment_id)

    @property
    def running_for(self) -> timedelta:
        return timezone.now() - (self.codepush.started_at or self.codepush.created_at)

    @property
    def steps(self) -> list[Step]:
        return list_steps(self.codepush)

    @property
    def rollback_obstacle(self) -> str:
        return find_rollback_obstacle(self.codepush)

    @property
    def size_bytes(self) -> int | None:
        return self.codepush.bundle.size_bytes if self.codepush.bundle else self.codepush.upload_size_bytes


def find_state(codepush: CodePush, *, is_live: bool) -> str:
    """Which tag it wears; names of the tags: templates/deployments/_state.html."""
    if not codepush.is_successful:
        return codepush.status
    if is_live:
        return "live"
    return "superseded" if codepush.is_enabled else "disabled"


def list_steps(codepush: CodePush) -> list[Step]:
    """What lies behind, what the worker is at (or was when it ended), what is ahead. Uploaded it is from the start."""
    at = next(place for place, (steps, *_) in enumerate(_STEPS) if codepush.step in steps)
    done_count = len(_STEPS) if codepush.is_successful else max(at, 1)
    return [
        Step(done, is_done=True, is_now=False)
        if place < done_count
        else Step(now if place == at and codepush.is_unfinished else ahead, is_done=False, is_now=place == at)
        for place, (_, ahead, now, done) in enumerate(_STEPS)
    ]


def find_rollback_obstacle(codepush: CodePush) -> str:
    """Why there is nothing to roll back to, or "". Labels have no gaps, so only v1 has no earlier one."""
    return "Nothing came before v1. To take it back, disable it." if codepush.label_number == 1 else ""


def make_cards(codepushes: Iterable[CodePush], deck: Deck) -> list[Card]:
    """Cards of one build. No query."""
    now, current_devices = timezone.now(), deck.metrics.current_devices
    live_for = deck.history.measure_live(now)
    cards = []
    for codepush in codepushes:
        is_live = deck.live is not None and codepush.pk == deck.live.pk
        labels = deck.live_labels if is_live else {codepush.label} if codepush.label else set()
        cards.append(
            Card(
                codepush=codepush,
                is_live=is_live,
                metrics=deck.metrics.of(codepush.label) if codepush.label else ReleaseMetrics(),
                active_devices=deck.metrics.count_active(labels),
                total_devices=deck.metrics.total_devices,
                current_devices=current_devices,
                same_labels=sort_labels(labels - {codepush.label}),
                patch=deck.patches.get(codepush.pk),
                live_for=None if is_live else live_for.get(codepush.label_number or 0),
                downloads_today=deck.downloads_today if is_live else 0,
                note=choose_note(codepush, deck.attention.get(codepush.pk), deck.history, now),
                waiting=deck.waiting.get(codepush.pk),
                build_urls=deck.urls,
            )
        )
    return cards


def sort_labels(labels: Iterable[str]) -> list[str]:
    """Newest first: by number, for as text "v10" comes before "v9"."""
    return sorted(labels, key=lambda label: (len(label), label), reverse=True)
