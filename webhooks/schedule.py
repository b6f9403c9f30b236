"""When a delivery is tried again. Pure."""

from datetime import datetime, timedelta

# Twice as long each time: fourteen attempts, the last 22 h 45 min after the first.
FIRST_DELAY = timedelta(seconds=10)
GIVEN_UP_AFTER = timedelta(hours=24)


def find_next_attempt(attempt_count: int, *, created_at: datetime, now: datetime) -> datetime | None:
    """After so many failed attempts; None when the next one would be later than a day after the event."""
    # Past the exponent at which the delay alone is a day, the result is the same and the number stays small.
    following = now + FIRST_DELAY * 2 ** min(attempt_count - 1, 14)
    return following if following <= created_at + GIVEN_UP_AFTER else None
