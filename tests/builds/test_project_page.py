"""/projects/<slug>/: tiles, the table of builds and its filters."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from builds.models import Build, BuildTarget, Platform, Project, StoreStatus
from builds.services import edit_project
from deployments.services.build_status import set_build_status
from tests.deployments.pages import report_installed
from tests.factories import BuildFactory, CodePushFactory
from tests.metrics.test_attention import failing_pair, outcomes

AsUser = Callable[[User], Client]
URL = "/projects/northwind-outdoor/"


def _listed(client: Client, query: str = "") -> list[int]:
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200
    return [row.build.pk for row in response.context["page"].object_list]


def test_builds_are_listed_newest_first(as_user: AsUser, viewer: User, build: Build) -> None:
    newer = BuildFactory(project=build.project)
    BuildFactory()
    assert _listed(as_user(viewer)) == [newer.pk, build.pk]


@pytest.mark.parametrize(
    "query",
    [
        "?platform=ios",
        "?target=staging",
        "?status=running",
        "?q=9.9",
        "?q=olga",
        "?q=b77",
        "?platform=ios&status=running&q=9.9.9",
    ],
)
def test_each_filter_narrows_the_table(as_user: AsUser, viewer: User, owner: User, build: Build, query: str) -> None:
    wanted = BuildFactory(
        project=build.project,
        platform=Platform.IOS,
        build_target=BuildTarget.STAGING,
        status=Build.Status.RUNNING,
        store_version="9.9.9",
        build_number="b77",
        triggered_by=owner,
    )
    assert _listed(as_user(viewer), query) == [wanted.pk]


def test_a_build_is_found_by_its_id_and_by_its_store_status(as_user: AsUser, viewer: User, build: Build) -> None:
    other = BuildFactory(project=build.project, store_status=StoreStatus.APPROVED, store_version="8.0.0")
    assert _listed(as_user(viewer), f"?q=%23{build.pk}") == [build.pk]
    assert _listed(as_user(viewer), "?store=approved") == [other.pk]


@pytest.mark.parametrize("query", ["?platform=windows", "?status=odd&store=odd&target=odd", "?page=abc", "?page=-1"])
def test_unknown_filter_values_are_ignored(as_user: AsUser, viewer: User, build: Build, query: str) -> None:
    assert _listed(as_user(viewer), query) == [build.pk]


def test_a_number_too_large_for_an_id_finds_nothing(as_user: AsUser, viewer: User, build: Build) -> None:
    assert _listed(as_user(viewer), f"?q={'9' * 40}") == []


def test_the_table_has_25_rows_a_page(as_user: AsUser, viewer: User, project: Project) -> None:
    BuildFactory.create_batch(26, project=project)
    client = as_user(viewer)
    assert len(_listed(client)) == 25
    assert len(_listed(client, "?page=2")) == 1
    assert "Showing 1–25 of 26 builds" in client.get(URL).content.decode()


def test_a_tile_says_what_is_live_and_how_many_run_it(as_user: AsUser, viewer: User, project: Project) -> None:
    build = BuildFactory(project=project, store_status=StoreStatus.LIVE, store_live_at=timezone.now())
    CodePushFactory(build=build)
    report_installed(build, "v1", 1)
    report_installed(build, "", 1, first=1)
    page = as_user(viewer).get(URL).content.decode()
    assert "50.0% active on v1" in page
    assert "2 devices" in page


def test_a_tile_says_how_often_devices_go_back_and_when_that_is_too_often(
    as_user: AsUser, viewer: User, project: Project
) -> None:
    now = timezone.now()
    fine = BuildFactory(project=project, store_status=StoreStatus.LIVE, store_live_at=now)
    outcomes(CodePushFactory(build=fine, finished_at=now), now, 1000, 2)
    failing = BuildFactory(
        project=project, platform=Platform.IOS, store_status=StoreStatus.LIVE, store_live_at=now, store_version="7.0.0"
    )
    failing_pair(failing, now)
    page = as_user(viewer).get(URL).content.decode()
    assert "0.20% rollbacks" in page
    assert page.count("Rollbacks up") == 1
    assert "Rolls back 10 times more often than v1 did at the same age" in page


def test_builds_can_be_sorted_by_devices_and_found_by_age(
    as_user: AsUser, viewer: User, project: Project, build: Build
) -> None:
    newer = BuildFactory(project=project)
    report_installed(build, "", 1)
    client = as_user(viewer)
    assert _listed(client, "?sort=devices") == [build.pk, newer.pk]
    page = client.get(f"{URL}?sort=devices&target=production").content.decode()
    assert page.count('aria-sort="descending"') == 1
    assert '<input type="hidden" name="sort" value="devices"' in page
    Build.objects.filter(pk=build.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert _listed(client, "?created=30") == [newer.pk]
    assert _listed(client, "?created=90") == [newer.pk, build.pk]
    assert _listed(client, "?created=31") == [newer.pk, build.pk]


def test_a_running_build_says_for_how_long(as_user: AsUser, viewer: User, project: Project) -> None:
    started_at = timezone.now() - timedelta(minutes=3, seconds=20)
    BuildFactory(project=project, status=Build.Status.RUNNING, started_at=started_at)
    assert "Running 3 min<" in as_user(viewer).get(URL).content.decode()


def test_the_head_says_who_last_changed_something_and_leads_to_it(
    as_user: AsUser, viewer: User, owner: User, project: Project
) -> None:
    edit_project(project.pk, actor=owner, repository_url="git@example.com:apps/outdoor.git")
    page = as_user(viewer).get(URL).content.decode()
    assert "by Olga Kaya" in page
    assert 'href="/audit/?project=northwind-outdoor"' in page
    assert 'data-copy="git@example.com:apps/outdoor.git"' in page
    assert f'href="{URL}settings/"' in page


def test_empty_tables_say_why(as_user: AsUser, viewer: User, project: Project) -> None:
    client = as_user(viewer)
    assert "No builds yet. Register one to get its deployment key." in client.get(URL).content.decode()
    assert "No builds match." in client.get(f"{URL}?q=zzz").content.decode()


def test_a_viewer_sees_create_build_but_it_does_nothing(
    as_user: AsUser, viewer: User, owner: User, project: Project
) -> None:
    page = as_user(viewer).get(URL).content.decode()
    assert "You need the Release manager role." in page
    assert f"{URL}builds/new/" not in page
    assert f"{URL}builds/new/" in as_user(owner).get(URL).content.decode()


def test_text_of_people_is_never_markup(as_user: AsUser, viewer: User, project: Project) -> None:
    project.name, project.description = "<script>alert(1)</script>", "<b>bold</b>"
    project.save()
    page = as_user(viewer).get(URL).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


@pytest.mark.usefixtures("one_period")
@pytest.mark.parametrize("build_count", [1, 20])
def test_the_page_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, project: Project, build_count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(build_count):
        CodePushFactory(build=BuildFactory(project=project))
    client = as_user(viewer)
    # Session, user, membership with project; two of the tag; count and page of builds, store-live builds; two of
    # metrics; Live CodePushes, labels with the same bundle; the last entry of the audit log; what runs, for the header.
    with django_assert_num_queries(14):
        client.get(URL)
    with django_assert_num_queries(12):
        tag = client.get(f"{URL}rows/").headers["ETag"]
    with django_assert_num_queries(5):
        assert client.get(f"{URL}rows/", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("status", "seconds"), [("running", 3), ("pending", 30), ("success", 0), ("failed", 0)])
def test_builds_are_polled_while_one_is_not_finished(
    as_user: AsUser, viewer: User, project: Project, status: str, seconds: int
) -> None:
    BuildFactory(project=project, status=status)
    fragment = as_user(viewer).get(f"{URL}rows/?sort=devices").content.decode()
    assert f'data-poll="{seconds}"' in fragment
    assert f'hx-get="{URL}rows/?sort=devices"' in fragment
    assert "<html" not in fragment


@pytest.mark.usefixtures("one_period")
def test_a_poll_finds_what_becomes_of_a_build_and_its_numbers(
    as_user: AsUser, viewer: User, release_manager: User, project: Project
) -> None:
    build = BuildFactory(project=project, status="running")
    client = as_user(viewer)
    tag = client.get(f"{URL}rows/").headers["ETag"]

    def poll() -> int:
        return client.get(f"{URL}rows/", headers={"If-None-Match": tag}).status_code

    assert poll() == 304
    set_build_status(build.pk, actor=release_manager, status="success")
    tag = client.get(f"{URL}rows/").headers["ETag"]
    assert poll() == 304
    report_installed(build, "", 1)
    assert poll() == 200
