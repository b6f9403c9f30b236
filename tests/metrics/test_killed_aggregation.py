"""An aggregation killed by SIGKILL at any step loses nothing and doubles nothing; two at once are harmless."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from builds.models import Build
from metrics.aggregation import apply_waiting_reports
from metrics.models import ReleaseCounter
from metrics.selectors import ReleaseMetrics, measure_builds
from tests.devices import Device
from tests.factories import CodePushFactory

# Processes see what is committed only.
pytestmark = pytest.mark.django_db(transaction=True)

DEVICES = 5
EXPECTED = ReleaseMetrics(DEVICES, DEVICES, DEVICES, 0, 2 * DEVICES, DEVICES, 0)


@pytest.fixture
def key(build: Build) -> str:
    """A build with v1, which five devices downloaded (twice, it seems) and started; nothing is counted yet."""
    CodePushFactory(build=build)
    for number in range(DEVICES):
        device = Device(build.deployment_key, label="v1", client_unique_id=f"phone-{number}")
        for _ in range(2):
            device.report_download("v1")
        device.report_deploy()
    return build.deployment_key


def _start(step: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.metrics.killed_aggregation", step],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        },
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "step",
    [
        "with the position locked",
        "with facts written",
        "with devices written",
        "with counters written",
        "with everything written but not committed",
    ],
)
def test_what_a_killed_aggregation_began_is_as_if_it_had_not(key: str, step: str) -> None:
    _kill(step)
    assert not ReleaseCounter.objects.exists()
    apply_waiting_reports()
    assert measure_builds([key])[key].of("v1") == EXPECTED


@pytest.mark.skipif(not settings.REDIS_URL, reason="REDIS_URL is not set: nothing happens after the commit")
def test_what_a_killed_aggregation_committed_is_not_counted_again(key: str) -> None:
    _kill("right after the commit")
    assert measure_builds([key])[key].of("v1") == EXPECTED
    apply_waiting_reports()
    assert measure_builds([key])[key].of("v1") == EXPECTED


def test_two_aggregations_at_once_count_each_report_once(key: str) -> None:
    running = [_start("none") for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
    assert measure_builds([key])[key].of("v1") == EXPECTED


def _kill(step: str) -> None:
    process = _start(step)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL, errors
