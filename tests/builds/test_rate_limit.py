"""A token bucket, to the request."""

import pytest

from builds import rate_limit
from builds.rate_limit import RateLimit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limit, "monotonic", clock)
    return clock


def count_allowed(limit: RateLimit, tries: int, caller: str = "a") -> int:
    return sum(limit.take(caller) for _ in range(tries))


@pytest.mark.parametrize("burst", [1, 2, 100])
def test_a_burst_is_allowed_and_not_one_more(clock: Clock, burst: int) -> None:
    limit = RateLimit(4.0, burst)

    assert count_allowed(limit, burst) == burst
    assert not limit.take("a")


def test_then_as_many_as_come_in_per_second(clock: Clock) -> None:
    limit = RateLimit(4.0, burst=10)
    count_allowed(limit, 10)

    clock.now += 0.25
    assert count_allowed(limit, 5) == 1
    clock.now += 1.0
    assert count_allowed(limit, 5) == 4
    clock.now += 3600.0
    assert count_allowed(limit, 20) == 10


def test_what_is_refused_does_not_count(clock: Clock) -> None:
    limit = RateLimit(4.0, burst=1)
    count_allowed(limit, 100)

    assert limit.find_wait("a") == pytest.approx(0.25)
    clock.now += 0.25
    assert limit.find_wait("a") == 0
    assert limit.take("a")


def test_one_caller_does_not_use_up_what_another_has(clock: Clock) -> None:
    limit = RateLimit(4.0, burst=3)
    count_allowed(limit, 9)

    assert count_allowed(limit, 9, caller="b") == 3


def test_callers_are_forgotten_before_they_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CALLERS", 10)
    limit = RateLimit(4.0, burst=2)
    for number in range(1000):
        assert limit.take(number)
        clock.now += 0.01 if number % 50 else 1.0

    assert len(limit._full_at) <= 10
