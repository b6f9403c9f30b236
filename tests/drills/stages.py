"""On which stage each drill runs."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.drills.false_clock import FalseClock
from tests.drills.faults import (
    CLOCK_DRILLS,
    DEPLOYMENT_DRILLS,
    DRILLS,
    S3_DRILLS,
    Drill,
    storage_on_small_disk,
)
from tests.drills.stage import Stage, make_stage
from tests.drills.storage import make_storage
from tests.drills.versions import NoHistory, checked_out, find_old_commit

MakeStage = Callable[[Path], AbstractContextManager[Stage]]


@contextmanager
def on_small_disk(folder: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        if os.getuid() == 0:
            stack.enter_context(storage_on_small_disk(folder / "bundles"))
        yield stack.enter_context(make_stage(folder))


@contextmanager
def on_s3(folder: Path) -> Iterator[Stage]:
    with make_storage() as storage, make_stage(folder, storage=storage) as stage:
        yield stage


@contextmanager
def on_older_version(folder: Path) -> Iterator[Stage]:
    with checked_out(find_old_commit(), folder / "old") as root, make_stage(folder / "var", root=root) as stage:
        yield stage


@contextmanager
def with_false_clock(folder: Path) -> Iterator[Stage]:
    folder.mkdir(parents=True, exist_ok=True)
    with make_stage(folder, clock=FalseClock(folder / "clock")) as stage:
        yield stage


STAGES: tuple[tuple[MakeStage, tuple[Drill, ...]], ...] = (
    (on_small_disk, DRILLS),
    (on_s3, S3_DRILLS),
    (on_older_version, DEPLOYMENT_DRILLS),
    (with_false_clock, CLOCK_DRILLS),
)


def find_obstacle(drill: Drill) -> str:
    """Why the drill cannot run here, in words; empty when it can."""
    if drill.needs_small_disk and os.getuid() != 0:
        return "only root can mount a small disk"
    if drill in DEPLOYMENT_DRILLS:
        try:
            find_old_commit()
        except NoHistory as why:
            return str(why)
    return ""
