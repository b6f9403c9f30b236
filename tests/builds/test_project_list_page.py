"""/projects/: which projects are listed, in which order, and what a row says."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from builds.models import Project, Role, StoreStatus
from tests.deployments.pages import report_installed
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, ProjectFactory

AsUser = Callable[[User], Client]


def _member_project(user: User, **fields: Any) -> Project:
    project: Project = ProjectFactory(**fields)
    MembershipFactory(project=project, user=user, role=Role.VIEWER)
    return project


def _names(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/projects/{query}")
    assert response.status_code == 200
    return [row.project.name for row in response.context["page"].object_list]


def test_the_front_page_leads_to_the_projects(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/projects/"


def test_only_projects_of_the_person_are_listed(as_user: AsUser, viewer: User, outsider: User) -> None:
    assert _names(as_user(viewer)) == ["Northwind Outdoor"]
    assert _names(as_user(outsider)) == ["Elsewhere"]


def test_a_row_names_live_versions_labels_devices_and_the_last_codepush(
    as_user: AsUser, viewer: User, project: Project, release_manager: User
) -> None:
    build = BuildFactory(project=project, store_status=StoreStatus.LIVE, store_live_at=timezone.now())
    CodePushFactory(build=build, created_by=release_manager)
    report_installed(build, "v1", 1)
    page = as_user(viewer).get("/projects/").content.decode()
    for shown in ("3.0.0", "v1", 'data-l="Active devices">1<', "Elif Kaya, Android 3.0.0"):
        assert shown in page


def test_the_newest_codepush_comes_first_and_projects_without_one_last(
    as_user: AsUser, viewer: User, project: Project
) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        _member_project(viewer, name=name)
    for name in ("Gamma", "Alpha"):
        CodePushFactory(build__project=Project.objects.get(name=name))
    assert _names(as_user(viewer)) == ["Alpha", "Gamma", "Beta", "Northwind Outdoor"]
    assert _names(as_user(viewer), "?sort=name") == ["Alpha", "Beta", "Gamma", "Northwind Outdoor"]


def test_projects_can_be_sorted_by_devices(as_user: AsUser, viewer: User, project: Project) -> None:
    build = BuildFactory(project=_member_project(viewer, name="Zeta"))
    report_installed(build, "", 1)
    assert _names(as_user(viewer), "?sort=devices") == ["Zeta", "Northwind Outdoor"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=ALPH", ["Alpha"]),
        ("?q=com.alpha", ["Alpha"]),
        ("?q=nothing", []),
        ("?platform=ios", ["Alpha"]),
        ("?platform=windows&sort=colour", ["Alpha", "Northwind Outdoor"]),
        ("?page=99", ["Alpha", "Northwind Outdoor"]),
    ],
)
def test_filters_narrow_the_list_and_unknown_values_are_ignored(
    as_user: AsUser, viewer: User, query: str, names: list[str]
) -> None:
    _member_project(viewer, name="Alpha", ios_bundle_id="com.alpha.app")
    assert _names(as_user(viewer), query) == names


def test_an_empty_list_says_what_to_do(as_user: AsUser, viewer: User, project: Project) -> None:
    assert "No projects match." in as_user(viewer).get("/projects/?q=zzz").content.decode()
    viewer.memberships.all().delete()
    assert (
        "No projects yet. Create one to start shipping updates." in as_user(viewer).get("/projects/").content.decode()
    )


@pytest.mark.parametrize("project_count", [1, 20])
def test_the_list_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, project_count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(project_count):
        build = BuildFactory(
            project=_member_project(viewer), store_status=StoreStatus.LIVE, store_live_at=timezone.now()
        )
        CodePushFactory(build=build)
    client = as_user(viewer)
    # Session, user; count and page of projects; deployment keys, four of metrics; store-live builds, their Live
    # CodePushes, labels with the same bundle; last CodePushes; what waits for a second person, and who turned that off;
    # projects that ask for a second factor; what runs, for the header.
    with django_assert_num_queries(18):
        client.get("/projects/")
