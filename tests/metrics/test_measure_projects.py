"""The numbers of whole projects: devices now, device rollbacks by day, and the order by devices."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build, Project
from metrics.models import ReleaseCounter, ReleaseHour
from metrics.projects import DAYS, count_devices, measure_projects, order_builds_by_devices, order_by_devices
from metrics.rollup import start_of_day
from tests.factories import BuildFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def _run(build: Build, devices: int, label_number: int = 1) -> None:
    ReleaseCounter.objects.create(build=build, label_number=label_number, active_devices=devices)


def _hour(build: Build, hour: datetime, installs: int, rollbacks: int) -> None:
    ReleaseHour.objects.create(build=build, label_number=1, hour=hour, installs=installs, rollbacks=rollbacks)


def test_devices_of_all_builds_and_labels_are_counted(project: Project, build: Build) -> None:
    _run(build, 5)
    _run(build, 2, label_number=0)
    _run(BuildFactory(project=project), 10)
    _run(BuildFactory(), 100)
    assert measure_projects([project])[project.pk].devices == 17
    assert count_devices(Project.objects.filter(pk=project.pk)) == 17
    assert count_devices(Project.objects.none()) == 0


def test_rollbacks_stand_by_day_and_older_ones_are_not_counted(project: Project, build: Build) -> None:
    today = start_of_day(timezone.now())
    _hour(build, today, 100, 1)
    _hour(build, today - timedelta(hours=1), 50, 2)
    _hour(BuildFactory(project=project), today - timedelta(hours=2), 50, 3)
    _hour(build, today - timedelta(days=DAYS - 1), 200, 4)
    _hour(build, today - timedelta(days=DAYS - 1, hours=1), 999, 999)
    metrics = measure_projects([project])[project.pk]
    assert metrics.rollbacks_by_day == [4, *[0] * (DAYS - 3), 5, 1]
    assert (metrics.installs, metrics.rollbacks, metrics.rollback_rate) == (400, 10, "2.5%")


def test_a_project_without_reports_has_no_rate(project: Project) -> None:
    metrics = measure_projects([project])[project.pk]
    assert (metrics.devices, metrics.rollback_rate, metrics.has_outcomes) == (0, "–", False)


def test_projects_and_builds_come_in_order_of_their_devices(project: Project, build: Build) -> None:
    _run(build, 5)
    other = BuildFactory(project=project)
    _run(other, 4)
    _run(other, 3, label_number=2)
    none = BuildFactory(project=project)
    larger = BuildFactory()
    _run(larger, 13)
    empty = ProjectFactory()
    assert list(order_builds_by_devices(Build.objects.filter(project=project))) == [other, build, none]
    assert list(order_by_devices(Project.objects.all())) == [larger.project, project, empty]


@pytest.mark.parametrize("count", [1, 20])
def test_two_queries_for_any_number_of_projects(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    projects = ProjectFactory.create_batch(count)
    for project in projects:
        _run(BuildFactory(project=project), 1)
    with django_assert_num_queries(2):
        measure_projects(projects)
