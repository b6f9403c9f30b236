"""/deployments/: what is under way, then the newest, across the projects of a person; and the pill on every page."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import Build, Platform, Project, Role
from deployments.models import CodePush
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, ProjectFactory

URL = "/deployments/"
UNFINISHED = {"finished_at": None, "duration_ms": None}


def _descriptions(client: Client, query: str = "") -> list[str]:
    """As listed: those under way, then the others."""
    context = client.get(f"{URL}{query}").context
    return [row.codepush.description for row in [*context["running"], *context["page"].object_list]]


@pytest.fixture
def elsewhere(outsider: User) -> CodePush:
    """A CodePush that is under way in a project of the outsider."""
    created: CodePush = CodePushFactory(
        build__project=Project.objects.get(slug="elsewhere"), status="processing", description="Secret", **UNFINISHED
    )
    return created


def test_what_is_under_way_comes_first_then_the_newest(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build, description="Older")
    CodePushFactory(build=build, status="pending", description="Waiting", **UNFINISHED)
    CodePushFactory(build=build, description="Newer")
    assert _descriptions(as_user(viewer)) == ["Waiting", "Newer", "Older"]


def test_only_codepushes_of_the_persons_projects_are_listed(
    as_user: AsUser, viewer: User, outsider: User, build: Build, elsewhere: CodePush
) -> None:
    CodePushFactory(build=build, description="Ours")
    assert _descriptions(as_user(viewer)) == ["Ours"]
    assert _descriptions(as_user(outsider)) == ["Secret"]


def test_a_row_says_what_where_in_which_state_and_who(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    for number in (1, 2):
        codepush = CodePushFactory(
            build=build, created_by=release_manager, rollout_percent=25, description=f"<b>{number}"
        )
    client = as_user(viewer)
    page = text_of(client.get(URL))
    for shown in ("Northwind Outdoor", "3.0.0, Production", "Live", "Superseded", "25%", "Elif Kaya"):
        assert shown in page
    assert f"{build_url(build)}?deployment={codepush.deployment_id}#{codepush.deployment_id}" in page
    assert "<b>2" not in client.get(URL).content.decode()


def test_a_failure_says_why(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build, status="failed", failure_reason="Wrong Hermes bytecode.")
    assert "Wrong Hermes bytecode." in text_of(as_user(viewer).get(URL))


@pytest.mark.parametrize(
    ("query", "descriptions"),
    [
        ("?status=running", ["Running"]),
        ("?status=live", ["Live"]),
        ("?status=success", ["Live", "Superseded"]),
        ("?status=failed", ["Failed"]),
        ("?platform=ios", []),
        ("?platform=android&status=failed", ["Failed"]),
        ("?q=supers", ["Superseded"]),
        ("?q=elif", ["Live"]),
        ("?q=northwind", ["Running", "Failed", "Live", "Superseded"]),
        ("?q=3.0.0", ["Running", "Failed", "Live", "Superseded"]),
        ("?status=nonsense&platform=windows&page=99", ["Running", "Failed", "Live", "Superseded"]),
    ],
)
def test_filters_narrow_the_list_and_unknown_values_are_ignored(
    as_user: AsUser, viewer: User, release_manager: User, build: Build, query: str, descriptions: list[str]
) -> None:
    CodePushFactory(build=build, description="Superseded")
    CodePushFactory(build=build, description="Live", created_by=release_manager)
    CodePushFactory(build=build, description="Failed", status="failed")
    CodePushFactory(build=build, description="Running", status="processing", **UNFINISHED)
    assert _descriptions(as_user(viewer), query) == descriptions


def test_a_deployment_id_finds_its_codepush(as_user: AsUser, viewer: User, build: Build) -> None:
    wanted, _ = CodePushFactory(build=build), CodePushFactory(build=build)
    assert _descriptions(as_user(viewer), f"?q={wanted.deployment_id.lower()}") == [wanted.description]


def test_an_empty_list_says_why(as_user: AsUser, viewer: User, build: Build) -> None:
    client = as_user(viewer)
    assert "No deployments yet." in text_of(client.get(URL))
    assert "No deployments match." in text_of(client.get(f"{URL}?q=zzz"))
    assert "Nothing is running." in text_of(client.get(f"{URL}?status=running"))


def test_rows_are_polled_often_only_while_something_runs(as_user: AsUser, viewer: User, build: Build) -> None:
    client = as_user(viewer)
    assert 'data-poll="30"' in text_of(client.get(f"{URL}rows/"))
    CodePushFactory(build=build, status="processing", **UNFINISHED)
    fragment = text_of(client.get(f"{URL}rows/?status=running"))
    assert 'data-poll="3"' in fragment
    assert f'hx-get="{URL}rows/?status=running"' in fragment
    assert "<html" not in fragment


def test_a_session_that_has_ended_leads_to_the_sign_in_page(client: Client, db: None) -> None:
    assert client.get(URL).headers["Location"] == f"/sign-in/?next={URL}"
    fragment = client.get(f"{URL}rows/")
    assert (fragment.status_code, fragment.headers["HX-Refresh"]) == (401, "true")


def test_the_pill_counts_what_runs_in_the_persons_projects(
    as_user: AsUser, viewer: User, build: Build, elsewhere: CodePush
) -> None:
    client = as_user(viewer)
    assert f"{URL}?status=running" not in text_of(client.get("/projects/"))
    CodePushFactory(build=build, status="pending", **UNFINISHED)
    page = text_of(client.get("/projects/"))
    assert f"{URL}?status=running" in page
    assert "1 deployment running" in page


def test_the_navigation_says_where_one_is(as_user: AsUser, viewer: User, project: Project) -> None:
    client = as_user(viewer)
    assert f'href="{URL}" aria-current="page"' in text_of(client.get(URL))
    below = text_of(client.get(f"/projects/{project.slug}/"))
    assert 'href="/projects/" aria-current="true"' in below
    assert f'href="{URL}" aria-current' not in below


@pytest.mark.parametrize("codepush_count", [1, 20])
def test_the_page_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, release_manager: User, codepush_count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(codepush_count):
        project = ProjectFactory()
        MembershipFactory(project=project, user=viewer, role=Role.VIEWER)
        build = BuildFactory(project=project, platform=Platform.IOS)
        first = CodePushFactory(build=build, created_by=release_manager)
        CodePushFactory(build=build, origin="promote", source=first, bundle=first.bundle)
        CodePushFactory(build=build, status="pending", **UNFINISHED)
    client = as_user(viewer)
    # Session, user; two of the tag; those under way; count and page of the others; what runs, for the header.
    for address in (URL, f"{URL}rows/"):
        with django_assert_num_queries(8):
            client.get(address)
