"""`make drills`: every drill, the table, and 1 when something did not hold. Words choose among them."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.drills.false_clock import FalseClock
from tests.drills.faults import CLOCK_DRILLS, DRILLS, S3_DRILLS, Drill, storage_on_small_disk
from tests.drills.judge import Row
from tests.drills.run import format_table, run_drill
from tests.drills.stage import Stage, make_stage
from tests.drills.storage import make_storage


@contextmanager
def _on_small_disk(folder: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        if os.getuid() == 0:
            stack.enter_context(storage_on_small_disk(folder / "bundles"))
        yield stack.enter_context(make_stage(folder))


@contextmanager
def _on_s3(folder: Path) -> Iterator[Stage]:
    with make_storage() as storage, make_stage(folder, storage=storage) as stage:
        yield stage


@contextmanager
def _with_false_clock(folder: Path) -> Iterator[Stage]:
    folder.mkdir(parents=True)
    with make_stage(folder, clock=FalseClock(folder / "clock")) as stage:
        yield stage


def _run(drills: list[Drill], stage: AbstractContextManager[Stage]) -> Iterator[Row]:
    if drills:
        with stage as on_it:
            for drill in drills:
                row = run_drill(on_it, drill)
                print(" | ".join(row.cells), file=sys.stderr, flush=True)
                yield row


def _choose(drills: tuple[Drill, ...]) -> list[Drill]:
    wanted = [drill for drill in drills if len(sys.argv) == 1 or any(word in drill.name for word in sys.argv[1:])]
    possible = [drill for drill in wanted if not drill.needs_small_disk or os.getuid() == 0]
    for drill in wanted:
        if drill not in possible:
            print(f"{drill.name}: left out; only root can mount a small disk", file=sys.stderr)
    return possible


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="codepush-drills-") as folder:
        rows = [*_run(_choose(DRILLS), _on_small_disk(Path(folder) / "files"))]
        rows += _run(_choose(S3_DRILLS), _on_s3(Path(folder) / "s3"))
        rows += _run(_choose(CLOCK_DRILLS), _with_false_clock(Path(folder) / "clock"))
    print(format_table(rows))
    return int(any(row.faults for row in rows))


if __name__ == "__main__":
    sys.exit(main())
