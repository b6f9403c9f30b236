"""What beat calls workers for when the clock of its host is set: each schedule goes on, and nothing is called twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery.beat import ScheduleEntry
from django.utils.module_loading import import_string

from codepush_site.celery import app
from codepush_site.schedule import SCHEDULE

_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Beat:
    """The scheduler that is set, with its file in `folder`. It keeps what it would call workers for."""

    def __init__(self, folder: Path) -> None:
        self.called: Counter[str] = Counter()
        path = app.conf.beat_scheduler.replace(":", ".")
        self._scheduler = import_string(path)(app=app, schedule_filename=str(folder / "schedule"), lazy=False)
        self._scheduler.apply_entry = self._call

    def _call(self, entry: ScheduleEntry, **_: Any) -> None:
        self.called[entry.name or ""] += 1

    def work_for(self, clock: time_machine.Traveller, seconds: int) -> Counter[str]:
        """How often each was called for in the seconds that follow."""
        self.called.clear()
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        while (left := (end - datetime.now(UTC)).total_seconds()) > 0:
            clock.shift(min(max(self._scheduler.tick(), 0.001), left))
        return Counter(self.called)

    def end(self) -> None:
        self._scheduler.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(_NOON, tick=False) as clock:
        yield clock


def test_a_minute_calls_for_each_schedule_as_often_as_it_says(tmp_path: Path, clock: time_machine.Traveller) -> None:
    called = Beat(tmp_path).work_for(clock, 61)

    assert called["apply-reports"] in (29, 30)
    assert called["requeue-unfinished-codepushes"] == 12
    assert called["expire-change-requests"] == 1
    assert called["keep-house-of-metrics"] == 0


@pytest.mark.parametrize("seconds", [-25 * 3600, -3600, 3600, 25 * 3600])
def test_a_clock_that_is_set_neither_stops_a_schedule_nor_doubles_it(
    seconds: int, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    beat = Beat(tmp_path)
    beat.work_for(clock, 61)
    clock.shift(seconds)
    called = beat.work_for(clock, 61)

    assert called["apply-reports"] in range(29, 32)
    assert called["requeue-unfinished-codepushes"] in range(12, 14)
    assert called["expire-change-requests"] in (1, 2)
    rare = [name for name, entry in SCHEDULE.items() if not isinstance(entry["schedule"], float | int)]
    assert max(called[name] for name in [*rare, "forget-old-requests"]) <= 1


def test_a_beat_that_starts_after_the_clock_was_set_back_goes_on(tmp_path: Path, clock: time_machine.Traveller) -> None:
    beat = Beat(tmp_path)
    beat.work_for(clock, 61)
    beat.end()
    clock.shift(-3600)

    assert Beat(tmp_path).work_for(clock, 61)["apply-reports"] in range(29, 32)


def test_an_hour_that_the_clock_was_ahead_leaves_the_night_in_place(
    tmp_path: Path, clock: time_machine.Traveller
) -> None:
    beat = Beat(tmp_path)
    clock.shift(18 * 3600)
    assert beat.work_for(clock, 5)["keep-house-of-metrics"] == 1
    clock.shift(-18 * 3600)
    assert beat.work_for(clock, 5)["keep-house-of-metrics"] == 0
    clock.move_to(_NOON + timedelta(hours=15, minutes=16, seconds=58))

    assert beat.work_for(clock, 5)["keep-house-of-metrics"] == 1
