"""Which update was Live when."""

from datetime import UTC, datetime, timedelta

import pytest

from deployments.policy.live_spans import LiveEvent, find_live_since, measure_live, replay_live_spans

DAY = datetime(2026, 11, 1, tzinfo=UTC)


def _hour(number: int) -> datetime:
    return DAY + timedelta(hours=number)


def _replay(*events: tuple[int, int, bool]) -> list[tuple[int, int, int | None, int]]:
    """Hours for times: (hour, label, enabled) in, (label, since, until, followed by) out."""
    spans = replay_live_spans(LiveEvent(_hour(hour), label, is_enabled) for hour, label, is_enabled in events)
    return [
        (
            span.label_number,
            int((span.since - DAY).total_seconds() // 3600),
            int((span.until - DAY).total_seconds() // 3600) if span.until else None,
            span.followed_by,
        )
        for span in spans
    ]


@pytest.mark.parametrize(
    ("events", "spans"),
    [
        ([], []),
        ([(0, 1, True)], [(1, 0, None, 0)]),
        ([(0, 1, True), (2, 2, True)], [(1, 0, 2, 2), (2, 2, None, 0)]),
        (
            [(0, 1, True), (2, 2, True), (3, 2, False), (5, 2, True)],
            [(1, 0, 2, 2), (2, 2, 3, 1), (1, 3, 5, 2), (2, 5, None, 0)],
        ),
        ([(0, 1, True), (1, 1, False)], [(1, 0, 1, 0)]),
        ([(0, 1, True), (1, 1, False), (4, 1, True)], [(1, 0, 1, 0), (1, 4, None, 0)]),
        ([(0, 1, True), (2, 2, True), (3, 1, False)], [(1, 0, 2, 2), (2, 2, None, 0)]),
        ([(0, 1, True), (2, 2, True), (3, 1, False), (4, 2, False)], [(1, 0, 2, 2), (2, 2, 4, 0)]),
        ([(2, 2, True), (0, 1, True)], [(1, 0, 2, 2), (2, 2, None, 0)]),
        ([(0, 1, True), (2, 2, True), (2, 3, True)], [(1, 0, 2, 2), (3, 2, None, 0)]),
    ],
    ids=[
        "nothing",
        "one",
        "superseded",
        "disabled and enabled",
        "nothing left",
        "Live again after a break",
        "an older one disabled",
        "all disabled",
        "in any order",
        "two at once",
    ],
)
def test_spans_follow_the_highest_enabled_label(
    events: list[tuple[int, int, bool]], spans: list[tuple[int, int, int | None, int]]
) -> None:
    assert _replay(*events) == spans


def test_a_label_that_was_live_twice_was_live_for_both_together() -> None:
    spans = replay_live_spans(
        [
            LiveEvent(_hour(0), 1, is_enabled=True),
            LiveEvent(_hour(2), 2, is_enabled=True),
            LiveEvent(_hour(3), 2, is_enabled=False),
        ]
    )
    assert measure_live(spans, _hour(10)) == {1: timedelta(hours=9), 2: timedelta(hours=1)}
    assert find_live_since(spans) == _hour(3)
