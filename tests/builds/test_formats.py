"""How times, durations, shares, counts and sizes are written (design: "Tables and formats")."""

from datetime import UTC, datetime, timedelta

import pytest

from builds import formats

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "written"),
    [
        (timedelta(seconds=-5), "0 s ago"),
        (timedelta(seconds=41), "41 s ago"),
        (timedelta(seconds=59, milliseconds=999), "59 s ago"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=2, minutes=30), "2 h ago"),
        (timedelta(days=6, hours=23), "6 d ago"),
        (timedelta(days=7), "16 Nov 2026"),
        (timedelta(days=14), "9 Nov 2026"),
    ],
)
def test_a_time_is_relative_for_a_week_and_then_a_date(age: timedelta, written: str) -> None:
    assert formats.format_ago(NOW - age, NOW) == written


def test_the_exact_time_is_in_utc() -> None:
    assert formats.format_exact(NOW) == "23 Nov 2026, 10:00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (0.4, "<1 s"),
        (19, "19 s"),
        (60, "1 min"),
        (72, "1 min 12 s"),
        (3600 + 5, "1 h"),
        (3600 + 120, "1 h 2 min"),
        (3 * 86400 + 21 * 3600 + 59, "3 d 21 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, written: str) -> None:
    assert formats.format_duration(seconds) == written


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (0, 0, "–"),
        (0, 100, "0%"),
        (50, 100, "50.0%"),
        (614, 1000, "61.4%"),
        (37, 10000, "0.37%"),
        (1, 100_000, "<0.01%"),
        (100, 100, "100.0%"),
    ],
)
def test_a_share_has_one_decimal_two_under_one_and_none_of_nothing(part: int, whole: int, written: str) -> None:
    assert formats.format_share(part, whole) == written


def test_counts_are_grouped_and_never_shortened() -> None:
    assert formats.format_count(31204) == "31,204"


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (4_600_000, "4.6 MB"),
        (38_700_000_000, "38.7 GB"),
    ],
)
def test_sizes_are_decimal_with_one_place(size_bytes: int, written: str) -> None:
    assert formats.format_bytes(size_bytes) == written
