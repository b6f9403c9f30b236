"""The quick ones of `make drills` (docs/drills.md): what holds when parts of the product die under load."""

import os
from collections.abc import Iterator

import pytest

from metrics import report_log
from tests.drills import run
from tests.drills.faults import Drill
from tests.drills.run import format_table, run_drill
from tests.drills.stage import Stage
from tests.drills.stages import STAGES, find_obstacle

pytestmark = [
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="They run on servers of their own: once is enough."),
    pytest.mark.timeout(300),
]


def _list_quick() -> Iterator[object]:
    """(its stage, drill), one stage after the other: each is set up once."""
    for make, drills in STAGES:
        for drill in drills:
            if drill.is_quick:
                obstacle = find_obstacle(drill)
                left_out = pytest.mark.skipif(bool(obstacle), reason=f"Not tried: {obstacle}.")
                yield pytest.param(make, drill, id=drill.name, marks=left_out)


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with request.param(tmp_path_factory.mktemp("drills") / "stage") as stage:
        yield stage


@pytest.mark.parametrize(("stage", "drill"), [*_list_quick()], indirect=["stage"])
def test_what_must_hold_holds(stage: Stage, drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    row = run_drill(stage, drill)
    with capsys.disabled():
        print(f"\n{format_table([row]).splitlines()[-1]}")

    assert row.faults == []


def test_drills_know_the_stream_of_reports() -> None:
    assert run._STREAM == report_log.STREAM
