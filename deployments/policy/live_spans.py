"""Which update was Live when: replayed from what was published, disabled and enabled."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple


class LiveEvent(NamedTuple):
    """At this moment the label was published (which enables it), enabled, or disabled."""

    at: datetime
    label_number: int
    is_enabled: bool


class LiveSpan(NamedTuple):
    """A stretch in which one label was Live. `until`: None while it is; `followed_by`: what was Live then, 0: none."""

    label_number: int
    since: datetime
    until: datetime | None = None
    followed_by: int = 0


def replay_live_spans(events: Iterable[LiveEvent]) -> list[LiveSpan]:
    """All stretches in order, for the events of one build in any order. Live: the highest label that is enabled.

    O(n log n). A span of no length, as when two events happen at once, is left out.
    """
    spans: list[LiveSpan] = []
    enabled: set[int] = set()
    # Highest first; labels that were disabled since are dropped when they come to the top.
    candidates: list[int] = []
    ordered = sorted(events)
    if not ordered:
        return []
    live, since = 0, ordered[0].at
    for event in ordered:
        if event.is_enabled:
            enabled.add(event.label_number)
            heappush(candidates, -event.label_number)
        else:
            enabled.discard(event.label_number)
        while candidates and -candidates[0] not in enabled:
            heappop(candidates)
        now_live = -candidates[0] if candidates else 0
        if now_live != live:
            if live and since < event.at:
                spans.append(LiveSpan(live, since, event.at, now_live))
            live, since = now_live, event.at
    if live:
        spans.append(LiveSpan(live, since))
    return spans


def find_live_since(spans: Iterable[LiveSpan]) -> datetime | None:
    """Since when the update that is Live has been it, without a break; None when none is."""
    return next((span.since for span in spans if span.until is None), None)


def measure_live(spans: Iterable[LiveSpan], now: datetime) -> dict[int, timedelta]:
    """{label number: how long it was Live in all}, labels that never were left out."""
    total: dict[int, timedelta] = {}
    for span in spans:
        length = (span.until or now) - span.since
        total[span.label_number] = total.get(span.label_number, timedelta()) + length
    return total
