"""How much one token may ask: enough for many jobs that wait for their release, too little to occupy a server.

At the defaults 1,500 requests at once, and 50 per second. For each web process. Of tokens that are none nothing is
counted: they cost at most a query, and cannot be guessed.
"""

from functools import cache
from math import ceil

from django.conf import settings

from builds.rate_limit import RateLimit
from telemetry import measures

BURST_SECONDS = 30


class TooManyRequests(Exception):
    """The token may ask again after so many seconds (429)."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"This token sent too many requests. Send the next one in {wait_seconds} s.")
        self.wait_seconds = wait_seconds


def count_request(token_id: int) -> None:
    """Raises TooManyRequests when it is one too many."""
    rate = settings.API_REQUESTS_PER_SECOND
    if not rate or _requests(rate).take(token_id):
        return
    measures.RATE_LIMITED.labels("api").inc()
    # Rounded up: who comes a moment too early is refused again.
    raise TooManyRequests(max(1, ceil(_requests(rate).find_wait(token_id))))


@cache
def _requests(rate: int) -> RateLimit:
    return RateLimit(rate, burst=rate * BURST_SECONDS)
