"""The adoption chart: bands that add up to the counters, whatever it is shown as."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build, StoreStatus
from deployments.services.force_update import apply_force_update
from metrics.adoption import Adoption, read_adoption
from metrics.history import HOUR
from metrics.models import LogPosition
from metrics.reports import ReportEvent
from tests.audit_log import backdate_entries
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.factories import BuildFactory, CodePushFactory
from tests.metrics.stories import report

pytestmark = pytest.mark.django_db

INSTALLED, STORE = ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def named(adoption: Adoption) -> dict[str, int]:
    """{band: devices at the last point}, from the bottom of the chart up."""
    return {band.name: band.devices[-1] for band in adoption.bands}


def test_bands_stand_on_the_live_one_older_ones_above_and_none_on_top(build: Build) -> None:
    CodePushFactory.create_batch(6, build=build)
    for number, (label, count) in enumerate({"v6": 2, "v5": 1, "v4": 5, "v3": 4, "v2": 1, "": 3}.items()):
        report_installed(build, label, count, first=10 * number)
    adoption = read_adoption(build, range_name="24h")
    assert named(adoption) == {"v6 Live": 2, "v4": 5, "v3": 4, "Others": 2, "No CodePush": 3}
    assert [band.tone for band in adoption.bands] == [0, 1, 2, 3, 4]
    assert adoption.totals[-1] == 16


def test_colours_are_those_of_the_split_bar_above(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory.create_batch(4, build=build)
    for number, label in enumerate(["v4", "v3", "v1", "v2", ""]):
        report_installed(build, label, 1 + number, first=10 * number)
    split = as_user(viewer).get(build_url(build)).context["page"].split
    bands = read_adoption(build, range_name="7d").bands
    assert {band.name: band.tone for band in bands if band.tone in (0, 1, 2, 4)} == {
        part.name: part.tone for part in split if part.tone in (0, 1, 2, 4)
    }


def test_devices_with_the_live_bundle_under_an_older_label_are_in_its_band(build: Build) -> None:
    first = CodePushFactory(build=build)
    CodePushFactory(build=build)
    CodePushFactory(build=build, origin="rollback", source=first, bundle=first.bundle)
    report_installed(build, "v1", 2)
    report_installed(build, "v2", 1, first=2)
    assert named(read_adoption(build, range_name="24h")) == {"v3 Live": 2, "v2": 1}


def test_without_a_live_one_nothing_is_green(build: Build) -> None:
    CodePushFactory(build=build, is_enabled=False)
    report_installed(build, "v1", 1)
    assert [band.tone for band in read_adoption(build, range_name="24h").bands] == [1]


@pytest.mark.parametrize(("range_name", "points", "rows"), [("24h", 25, 25), ("7d", 169, 8), ("14d", 337, 15)])
def test_a_range_has_a_point_an_hour_and_a_table_of_hours_or_days(
    build: Build, now: datetime, range_name: str, points: int, rows: int
) -> None:
    CodePushFactory(build=build)
    report(build, INSTALLED, "phone", "v1", now - 20 * 24 * HOUR)
    adoption = read_adoption(build, range_name=range_name)
    assert len(adoption.times) == len(adoption.totals) == points
    table = adoption.rows
    assert len(table) == rows
    assert (table[0].at, table[0].total, table[0].cells) == (adoption.times[-1], 1, [("100.0%", 1)])


def test_releases_within_the_range_are_marked(build: Build, now: datetime) -> None:
    for days_ago in (9, 3, 1):
        CodePushFactory(build=build, finished_at=now - timedelta(days=days_ago))
    marks = read_adoption(build, range_name="7d").marks
    assert [(mark.label, mark.is_live) for mark in marks] == [("v2", False), ("v3", True)]
    assert marks[0].at == now - timedelta(days=3)


def test_the_chart_in_one_sentence(build: Build, now: datetime) -> None:
    CodePushFactory.create_batch(2, build=build)
    report(build, STORE, "phone-1", "", now - 9 * HOUR)
    for number in (2, 3):
        report(build, INSTALLED, f"phone-{number}", "v2", now - 2 * HOUR)
    summary = read_adoption(build, range_name="24h").summary
    assert summary.endswith(": v2 Live went from 0% to 66.7%, No CodePush is at 33.3%.")
    assert summary.startswith("Share of devices by version, ")


def test_numbers_are_late_when_no_worker_made_any_for_two_minutes(
    as_user: AsUser, viewer: User, build: Build, now: datetime
) -> None:
    CodePushFactory(build=build)
    report_installed(build, "v1", 1)
    address = build_url(build, "adoption.json")
    assert as_user(viewer).get(address).json()["note"] == ""
    as_of = now - timedelta(minutes=5)
    LogPosition.objects.update(applied_at=as_of)
    late = f"Metrics are late. Last data {as_of.day} {as_of:%b, %H:%M}."
    assert as_user(viewer).get(address).json()["note"] == late
    assert "Metrics are late. Last data" in text_of(as_user(viewer).get(build_url(build)))


def test_force_update_ends_the_chart(
    as_user: AsUser, viewer: User, release_manager: User, build: Build, now: datetime
) -> None:
    CodePushFactory(build=build)
    Build.objects.filter(pk=build.pk).update(store_live_at=now, store_status=StoreStatus.APPROVED)
    BuildFactory(project=build.project, store_version="3.1.0", store_status=StoreStatus.LIVE, store_live_at=now)
    report(build, INSTALLED, "phone-1", "v1", now - 30 * HOUR)
    apply_force_update(build.pk, actor=release_manager, reason="Old API.")
    at = now - 28 * HOUR
    backdate_entries(at)
    report(build, INSTALLED, "phone-2", "v1", now - HOUR)
    build.refresh_from_db()
    adoption = read_adoption(build, range_name="24h")
    assert adoption.frozen_at == at
    assert adoption.times[-1] == at.replace(second=0, microsecond=0)
    assert adoption.totals[-1] == 1
    note = as_user(viewer).get(build_url(build, "adoption.json")).json()["note"]
    assert note == f"Force Update was applied on {at.day} {at:%b, %H:%M}. The chart ends there."


def test_the_three_forms_say_the_same(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory.create_batch(2, build=build)
    report_installed(build, "v1", 3)
    report_installed(build, "v2", 1, first=3)
    client = as_user(viewer)
    numbers = client.get(build_url(build, "adoption.json?range=24h")).json()
    assert [(band["name"], band["devices"][-1]) for band in numbers["bands"]] == [("v2 Live", 1), ("v1", 3)]
    table = text_of(client.get(build_url(build, "adoption/?range=24h")))
    assert '25.0%<span class="cell-2">1</span>' in table
    picture = client.get(build_url(build, "adoption.svg?range=24h"))
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert text_of(picture).count("<polygon") == 2
    assert numbers["summary"] in text_of(picture)


def test_numbers_that_are_the_same_are_not_sent_again(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    report_installed(build, "v1", 1)
    client, address = as_user(viewer), build_url(build, "adoption.json")
    # A minute may begin between two answers.
    LogPosition.objects.update(applied_at=timezone.now().replace(second=0, microsecond=0))
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    report_installed(build, "v1", 1, first=1)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("succeeded", "sentence"),
    [(False, "Adoption appears after the first CodePush."), (True, "Adoption appears once devices report.")],
    ids=["no update", "no device"],
)
def test_before_there_is_anything_to_draw_the_panel_says_when(
    as_user: AsUser, viewer: User, build: Build, *, succeeded: bool, sentence: str
) -> None:
    CodePushFactory(build=build, status="success" if succeeded else "failed")
    page = text_of(as_user(viewer).get(build_url(build)))
    assert sentence in page
    assert "data-adoption=" not in page


def test_a_build_that_nobody_runs_has_a_table_that_says_so(as_user: AsUser, viewer: User, build: Build) -> None:
    assert "No device ran this build in this time." in text_of(as_user(viewer).get(build_url(build, "adoption/")))
    assert as_user(viewer).get(build_url(build, "adoption.svg")).status_code == 200


@pytest.mark.parametrize(
    ("age", "address", "name"),
    [
        (HOUR, "", "24h"),
        (25 * HOUR, "", "7d"),
        (200 * HOUR, "", "14d"),
        (9000 * HOUR, "", "14d"),
        (HOUR, "?range=14d", "14d"),
        (9000 * HOUR, "?range=24h", "24h"),
        (HOUR, "?range=3y", "24h"),
    ],
)
def test_the_range_fits_the_age_of_the_build_until_one_is_chosen(
    as_user: AsUser, viewer: User, build: Build, age: timedelta, address: str, name: str
) -> None:
    Build.objects.filter(pk=build.pk).update(created_at=timezone.now() - age)
    assert as_user(viewer).get(build_url(build, address)).context["page"].range.name == name
    failures = as_user(viewer).get(build_url(build, f"failures/{address}"))
    assert failures.context["range"] == name


def test_a_young_build_fills_its_chart_until_a_range_is_chosen(
    as_user: AsUser, viewer: User, build: Build, now: datetime
) -> None:
    CodePushFactory(build=build, finished_at=now - 5 * HOUR)
    report(build, INSTALLED, "phone-1", "v1", now - 3 * HOUR)
    client = as_user(viewer)
    numbers = client.get(build_url(build, "adoption.json")).json()
    # An empty point, that with the release, and the hours up to now; nothing of the 19 hours before.
    assert len(numbers["times"]) in (6, 7)
    assert numbers["totals"][0] == 0
    assert numbers["times"][0] <= numbers["marks"][0]["at"] < numbers["times"][1]
    assert len(client.get(build_url(build, "adoption.json?range=24h")).json()["times"]) == 25


@pytest.mark.parametrize("label_count", [2, 12])
def test_the_cost_is_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, build: Build, label_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    CodePushFactory.create_batch(label_count, build=build)
    for number in range(label_count):
        report_installed(build, f"v{number + 1}", 1, first=number)
    client = as_user(viewer)
    # Session, user, membership with project, build; as of when, before and within the range; successes and switches,
    # the Live one.
    with django_assert_num_queries(9):
        client.get(build_url(build, "adoption.json"))


def test_before_the_first_report_the_picture_shows_no_codepush(
    as_user: AsUser, viewer: User, build: Build, now: datetime
) -> None:
    CodePushFactory(build=build, finished_at=now - 3 * HOUR)
    report(build, INSTALLED, "phone-1", "v1", now - HOUR)
    report(build, STORE, "phone-2", "", now - HOUR)
    picture = text_of(as_user(viewer).get(build_url(build, "adoption.svg")))
    live, none = (area.split('"')[0].split() for area in picture.split('points="')[1:])
    # At the left edge: nothing of the Live one, all without a CodePush. Half of each in the end.
    assert (live[0], none[0]) == ("44.0,212.0", "44.0,22.0")
    assert "880.0,117.0" in live
    assert "880.0,117.0" in none
