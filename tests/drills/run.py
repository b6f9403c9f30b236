"""One drill: load, fault, recovery, verdict; and the table of all."""

import time
from collections.abc import Iterable
from contextlib import nullcontext

import redis

from tests.drills.faults import Drill
from tests.drills.follower import Follower, following
from tests.drills.judge import HEADER, Row, judge
from tests.drills.load import Load
from tests.drills.stage import Stage

# `metrics.report_log.STREAM`; drills run without Django.
_STREAM = "codepush:reports"
_CALM_SECONDS, _RECOVERY_SECONDS = 2.0, 60.0


def run_drill(stage: Stage, drill: Drill) -> Row:
    with following(stage) if drill.has_follower else nullcontext() as follower:
        return _run_on(stage, drill, follower)


def _run_on(stage: Stage, drill: Drill, follower: Follower | None) -> Row:
    load = Load(stage)
    try:
        time.sleep(_CALM_SECONDS)
        began, may_lose = time.time(), _count_waiting(stage) if drill.empties_redis else 0
        with drill.fault(stage):
            ended = time.time()
        # Whoever uploads now waits until every part works: database, storage, queue, worker, web.
        released = load.upload()
        load.wait_until_offered(released, _RECOVERY_SECONDS)
        recovered = time.time()
        load.released.append(released)
        time.sleep(_CALM_SECONDS)
    finally:
        seen = load.stop()
    told = {"drill": drill.name, "must_hold": drill.must_hold, "recovery_seconds": recovered - ended}
    return judge(stage, load, told, seen, (began, recovered), may_lose, follower)


def _count_waiting(stage: Stage) -> int:
    """Reports in the stream: applied or not, more than that cannot be lost with it."""
    with redis.Redis.from_url(stage.redis.url) as client:
        return int(client.xlen(_STREAM))


def format_table(rows: Iterable[Row]) -> str:
    lines = [HEADER, tuple("---" for _ in HEADER), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
