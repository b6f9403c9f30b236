"""Python runs this as it starts, in processes of a stage with a false clock: their wall clock follows a file.

The file says by how many seconds it is wrong. What measures spans (`time.monotonic`, and so sleeps and timeouts) goes
on as it is, as on a host whose clock is set.
"""

import os
import threading
import time
from pathlib import Path

import time_machine


class _WallClock:
    def __init__(self, told_in: Path) -> None:
        self._told_in, self._seconds = told_in, 0
        self._traveller = time_machine.travel(time.time(), tick=True).start()
        # It counts from when it is asked first.
        time.time()

    def follow(self) -> None:
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            # Replaced as a whole (`FalseClock`), so it is never empty.
            told = int(self._told_in.read_text())
            self._traveller.shift(told - self._seconds)
            self._seconds = told
            time.sleep(0.02)


if "DRILL_CLOCK" in os.environ:
    _clock = _WallClock(Path(os.environ["DRILL_CLOCK"]))
    _clock.follow()
    # Of a process that forks, only the thread that did so goes on in the child.
    os.register_at_fork(after_in_child=_clock.follow)
