"""So many at once, and so many per second: a token bucket, in one number per caller."""

from time import monotonic

# Some 200 bytes each.
MAX_CALLERS = 100_000


class RateLimit:
    """In this process. Threads that come at the same instant may get in one too many, never one too few."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._slack = (burst - 1) * self._interval
        # When the caller's bucket will be full again; in the past: it is.
        self._full_at: dict[object, float] = {}

    def take(self, caller: object) -> bool:
        """Whether the caller may, and if so, that they did."""
        now = monotonic()
        full_at = self._full_at.get(caller, now)
        if full_at - now > self._slack:
            return False
        if len(self._full_at) >= MAX_CALLERS:
            self._forget_idle(now)
        self._full_at[caller] = max(full_at, now) + self._interval
        return True

    def find_wait(self, caller: object) -> float:
        """Seconds until the caller may again; 0: now."""
        now = monotonic()
        return max(0.0, self._full_at.get(caller, now) - now - self._slack)

    def forget(self, caller: object) -> None:
        """The caller begins anew."""
        self._full_at.pop(caller, None)

    def _forget_idle(self, now: float) -> None:
        self._full_at = {caller: full_at for caller, full_at in list(self._full_at.items()) if full_at > now}
        if len(self._full_at) >= MAX_CALLERS:
            # From so many addresses at once no limit per address helps.
            self._full_at = {}
