"""The adoption chart of random histories: it ends at the counters, and its bands add up to all devices."""

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from builds.models import Build
from deployments.models import CodePush
from metrics.adoption import read_adoption
from metrics.history import HOUR
from metrics.models import BuildTotals, Device, DeviceFact, ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.reports import ReportEvent
from metrics.selectors import measure_builds
from tests.factories import CodePushFactory
from tests.metrics.stories import report

pytestmark = pytest.mark.django_db

INSTALLED, STORE = ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED

events = st.lists(
    st.tuples(
        st.sampled_from(["", "v1", "v2", "v3", "v4", "v5"]),
        st.sampled_from(["phone-1", "phone-2", "phone-3", "phone-4"]),
        st.integers(0, 400),
    ),
    max_size=12,
)


@pytest.fixture
def five_updates(build: Build) -> None:
    """v1 to v5; v4 has the bundle of v5."""
    releases: list[CodePush] = CodePushFactory.create_batch(5, build=build)
    CodePush.objects.filter(pk=releases[3].pk).update(bundle=releases[4].bundle)


@pytest.mark.usefixtures("five_updates")
@settings(max_examples=40, deadline=None)
@given(said=events, range_name=st.sampled_from(["24h", "7d", "14d"]))
def test_the_chart_ends_at_the_counters(said: list[tuple[str, str, int]], range_name: str) -> None:
    for table in (ReportLogEntry, Device, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour):
        table.objects.all().delete()
    build, now = Build.objects.get(), timezone.now()
    for label, client, hours_ago in sorted(said, key=lambda one: -one[2]):
        report(build, INSTALLED if label else STORE, client, label, now - hours_ago * HOUR)
    adoption = read_adoption(build, range_name=range_name)
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    ends = {band.tone: band.devices[-1] for band in adoption.bands}
    assert sum(ends.values()) == metrics.current_devices
    assert ends.get(0, 0) == metrics.count_active(["v5", "v4"])
    assert ends.get(4, 0) == metrics.count_active([""])
    # Every point of every band is a count of devices, and the bands add up.
    assert all(devices >= 0 for band in adoption.bands for devices in band.devices)
    assert list(adoption.totals) == [sum(point) for point in zip(*(b.devices for b in adoption.bands), strict=True)]
