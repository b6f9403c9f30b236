"""The scheduler of `beat`: Celery's own, which also goes on when the clock of its host is set back."""

import logging
from typing import Any

from celery.beat import PersistentScheduler

logger = logging.getLogger(__name__)


class ClockProofScheduler(PersistentScheduler):
    """Celery waits until the time that it wrote down is reached: for an hour, when the clock is set back by one."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        """One round. Some schedule of ours is due every other second, so that it is noticed as soon."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        if ahead:
            logger.warning("The clock was set back; %s schedules count from now.", len(ahead))
            for entry in ahead:
                entry.last_run_at = now
            # The times at which all are due are in it.
            self._heap = None
        interval: float = super().tick(*arguments, **options)
        return interval
