"""The quick ones of `make drills` (docs/drills.md): what holds when parts of the product die under load."""

import os
from collections.abc import Iterator

import pytest

from metrics import report_log
from tests.drills import run
from tests.drills.faults import DRILLS, Drill
from tests.drills.run import format_table, run_drill
from tests.drills.stage import Stage, make_stage

pytestmark = [
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="They run on servers of their own: once is enough."),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with make_stage(tmp_path_factory.mktemp("drills")) as stage:
        yield stage


@pytest.mark.parametrize("drill", [drill for drill in DRILLS if drill.is_quick], ids=lambda drill: drill.name)
def test_what_must_hold_holds(stage: Stage, drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    row = run_drill(stage, drill)
    with capsys.disabled():
        print(f"\n{format_table([row]).splitlines()[-1]}")

    assert row.faults == []


def test_drills_know_the_stream_of_reports() -> None:
    assert run._STREAM == report_log.STREAM
