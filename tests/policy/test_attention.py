"""When an update's device rollbacks, or a rollout that stands still, are worth a note."""

from datetime import UTC, datetime, timedelta

import pytest

from deployments.policy.attention import (
    Outcomes,
    describe_rollback_outlier,
    describe_stalled,
    is_rollback_outlier,
    is_stalled,
    may_be_rollback_outlier,
    name_update,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STOOD = "Rollout of v7 has stood at 25% for 9 days."
ALONE = "50 devices went back from it by themselves: 5.0% of installs. There is no earlier update to compare it with."
BAD = Outcomes(installs=31_406, rollbacks=116)


@pytest.mark.parametrize(
    ("current", "previous", "expected"),
    [
        pytest.param(BAD, Outcomes(45_388, 18), True, id="nine times as often"),
        pytest.param(Outcomes(1000, 30), Outcomes(1000, 10), True, id="three times as often"),
        pytest.param(Outcomes(1000, 29), Outcomes(1000, 10), False, id="less than three times"),
        pytest.param(Outcomes(1000, 9), Outcomes(1000, 1), False, id="nine rollbacks are chance"),
        pytest.param(Outcomes(1000, 10), Outcomes(1000, 1), True, id="ten are not"),
        pytest.param(Outcomes(89, 10), Outcomes(1000, 1), False, id="99 outcomes say nothing"),
        pytest.param(Outcomes(90, 10), Outcomes(1000, 1), True, id="100 do"),
        pytest.param(Outcomes(1000, 10), Outcomes(1000, 0), True, id="none before counts as one"),
        pytest.param(Outcomes(100_000, 10), Outcomes(1000, 0), False, id="none before of few installs"),
        pytest.param(Outcomes(0, 100), Outcomes(1000, 1), True, id="nobody could install it"),
        pytest.param(Outcomes(0, 100), Outcomes(0, 100), True, id="nor the one before"),
        pytest.param(Outcomes(1000, 50), None, True, id="nothing to compare with, 5 %"),
        pytest.param(Outcomes(1000, 49), None, False, id="nothing to compare with, less than 5 %"),
        pytest.param(Outcomes(0, 100), None, True, id="nothing to compare with, nobody could install it"),
        pytest.param(Outcomes(1000, 49), Outcomes(90, 9), False, id="too few outcomes before are as none"),
        pytest.param(Outcomes(1000, 0), None, False, id="no rollbacks"),
        pytest.param(Outcomes(), None, False, id="no devices"),
    ],
)
def test_an_update_is_an_outlier(current: Outcomes, previous: Outcomes | None, *, expected: bool) -> None:
    assert is_rollback_outlier(current, previous) is expected
    assert may_be_rollback_outlier(current) or not expected


@pytest.mark.parametrize(
    ("current", "previous", "sentence"),
    [
        (
            BAD,
            Outcomes(45_388, 18),
            "Rolls back 9 times more often than v6 did at the same age (0.37% against 0.04% of installs).",
        ),
        (
            Outcomes(1000, 10),
            Outcomes(1000, 0),
            "Rolls back more often than v6 did at the same age (1.0% against 0% of installs).",
        ),
        (
            Outcomes(1000, 50),
            None,
            ALONE,
        ),
        (Outcomes(0, 1200), None, "1,200 devices went back from it by themselves, and none installed it."),
    ],
    ids=["factor", "none before", "alone", "no installs"],
)
def test_the_note_says_what_is_compared(current: Outcomes, previous: Outcomes | None, sentence: str) -> None:
    assert describe_rollback_outlier(current, previous, "v6") == sentence


@pytest.mark.parametrize(
    ("rollout_percent", "age", "expected"),
    [
        (25, timedelta(days=7), True),
        (99, timedelta(days=9), True),
        (100, timedelta(days=9), False),
        (25, timedelta(days=7) - timedelta(seconds=1), False),
    ],
)
def test_a_rollout_is_stalled_after_a_week_without_a_change(
    rollout_percent: int, age: timedelta, *, expected: bool
) -> None:
    assert is_stalled(rollout_percent=rollout_percent, unchanged_since=NOW - age, now=NOW) is expected


def test_the_reminder_says_at_what_and_for_how_long() -> None:
    since = NOW - timedelta(days=9, hours=20)
    assert (
        describe_stalled(rollout_percent=25, unchanged_since=since, now=NOW) == "Rollout has stood at 25% for 9 days."
    )


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        (
            describe_rollback_outlier(Outcomes(1000, 10), Outcomes(1000, 1), "v6"),
            "v7 rolls back 10 times more often than v6 did at the same age (1.0% against 0.10% of installs).",
        ),
        (ALONE, ALONE.replace("from it", "from v7")),
        (describe_stalled(rollout_percent=25, unchanged_since=NOW - timedelta(days=9), now=NOW), STOOD),
    ],
    ids=["compared", "alone", "stalled"],
)
def test_away_from_its_card_a_sentence_names_its_update(sentence: str, named: str) -> None:
    assert name_update(sentence, "v7") == named
