"""The quick ones of `make drills` (docs/drills.md): what holds when parts of the product die under load."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from metrics import report_log
from tests.drills import run
from tests.drills.faults import Drill
from tests.drills.run import format_table, run_drill
from tests.drills.stage import Stage, make_stage
from tests.drills.stages import STAGES, MakeStage, find_obstacle, on_small_disk

pytestmark = [
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="They run on servers of their own: once is enough."),
    pytest.mark.timeout(300),
]


def _list_quick() -> Iterator[object]:
    """(its stage, drill), one stage after the other."""
    for make, drills in STAGES:
        for drill in drills:
            if drill.is_quick:
                obstacle = find_obstacle(drill)
                left_out = pytest.mark.skipif(bool(obstacle), reason=f"Not tried: {obstacle}.")
                # Not all containers of CI may mount a disk, and none of these fills it.
                yield pytest.param(make_stage if make is on_small_disk else make, drill, id=drill.name, marks=left_out)


class _Theatre:
    """One stage at a time, which stays as long as drills want it: setting it up takes longer than a drill."""

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder, self._held = make_folder, ExitStack()
        self._made: tuple[MakeStage, Stage] | None = None

    def show(self, make: MakeStage) -> Stage:
        if self._made is None or self._made[0] is not make:
            self.close()
            self._made = make, self._held.enter_context(make(self._make_folder(make.__name__) / "stage"))
        return self._made[1]

    def close(self) -> None:
        self._held.close()


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Theatre]:
    with closing(_Theatre(tmp_path_factory.mktemp)) as theatre:
        yield theatre


@pytest.mark.parametrize(("make", "drill"), [*_list_quick()])
def test_what_must_hold_holds(
    theatre: _Theatre, make: MakeStage, drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    row = run_drill(theatre.show(make), drill)
    with capsys.disabled():
        print(f"\n{format_table([row]).splitlines()[-1]}")

    assert row.faults == []


def test_drills_know_the_stream_of_reports() -> None:
    assert run._STREAM == report_log.STREAM
