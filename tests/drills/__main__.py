"""`make drills`: every drill, the table, and 1 when something did not hold. Words choose among them."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.drills.faults import Drill
from tests.drills.judge import Row
from tests.drills.run import format_table, run_drill
from tests.drills.stage import Stage
from tests.drills.stages import STAGES, find_obstacle


def _run(drills: list[Drill], stage: AbstractContextManager[Stage]) -> Iterator[Row]:
    if drills:
        with stage as on_it:
            for drill in drills:
                row = run_drill(on_it, drill)
                print(" | ".join(row.cells), file=sys.stderr, flush=True)
                yield row


def _choose(drills: tuple[Drill, ...]) -> Iterator[Drill]:
    for drill in drills:
        if len(sys.argv) == 1 or any(word in drill.name for word in sys.argv[1:]):
            if obstacle := find_obstacle(drill):
                print(f"{drill.name}: not tried; {obstacle}", file=sys.stderr)
            else:
                yield drill


def main() -> int:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="codepush-drills-") as folder:
        for make, drills in STAGES:
            rows += _run([*_choose(drills)], make(Path(folder) / make.__name__))
    print(format_table(rows))
    return int(any(row.faults for row in rows))


if __name__ == "__main__":
    sys.exit(main())
