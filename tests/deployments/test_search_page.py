"""/search/: what is found by which text, and that a single exact hit is opened."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.models import Build, Project
from deployments.models import CodePush
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import BuildFactory, CodePushFactory


def search(client: Any, q: str) -> Any:
    return client.get("/search/", {"q": q})


@pytest.mark.parametrize(
    "text", ["#{id}", "{id}", "2041", " 7.1.4 ", "{key}"], ids=["#id", "id", "build number", "version", "key"]
)
def test_a_build_that_is_named_exactly_is_opened(as_user: AsUser, viewer: User, project: Project, text: str) -> None:
    BuildFactory(project=project, store_version="7.1.0")
    build = BuildFactory(project=project, store_version="7.1.4", build_number="2041")
    response = search(as_user(viewer), text.format(id=build.pk, key=build.deployment_key))
    assert response.headers["Location"] == build_url(build)


@pytest.mark.parametrize("text", ["{id}", "{lower}"])
def test_a_whole_deployment_id_opens_its_card(as_user: AsUser, viewer: User, codepush: CodePush, text: str) -> None:
    wanted = codepush.deployment_id
    response = search(as_user(viewer), text.format(id=wanted, lower=wanted.lower()))
    assert response.headers["Location"] == f"{build_url(codepush.build)}?deployment={wanted}#{wanted}"


@pytest.mark.parametrize("text", ["northwind outdoor", "com.northwind.app"])
def test_a_project_that_is_named_exactly_is_opened(as_user: AsUser, viewer: User, project: Project, text: str) -> None:
    Project.objects.filter(pk=project.pk).update(ios_bundle_id="com.northwind.app")
    assert search(as_user(viewer), text).headers["Location"] == f"/projects/{project.slug}/"


def test_several_hits_are_listed_by_kind(as_user: AsUser, viewer: User, project: Project, codepush: CodePush) -> None:
    client = as_user(viewer)
    BuildFactory(project=project, store_version="3.0.0", platform="ios")
    hits = search(client, "3.0").context["hits"]
    assert len(hits.builds) == 2
    assert len(search(client, "3.0.0").context["hits"].builds) == 2
    found = search(client, codepush.deployment_id[:9]).context["hits"].deployments
    assert [row.codepush for row in found] == [codepush]
    assert search(client, "north").context["hits"].projects == [project]
    assert "Northwind Outdoor" in text_of(search(client, "3.0"))


@pytest.mark.parametrize("text", ["nothing", "dpl_", "#", "999999999999999999999", "²", "%", "dpl_%", "<b>"])
def test_what_names_nothing_is_answered_in_words(as_user: AsUser, viewer: User, codepush: CodePush, text: str) -> None:
    response = search(as_user(viewer), text)
    assert response.status_code == 200
    assert f"Nothing in your projects is called “{text}”." in text_of(response)
    assert "<b>" not in response.content.decode()


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_search_says_what_can_be_typed(as_user: AsUser, viewer: User, codepush: CodePush, text: str) -> None:
    assert "Type what you look for" in text_of(search(as_user(viewer), text))


def test_nothing_of_other_projects_is_found(as_user: AsUser, outsider: User, build: Build, codepush: CodePush) -> None:
    client = as_user(outsider)
    for text in (f"#{build.pk}", "3.0.0", build.deployment_key, codepush.deployment_id, "Northwind"):
        assert search(client, text).context["hits"].is_empty
        assert "Northwind Outdoor" not in text_of(search(client, text))


def test_too_many_hits_say_that_there_are_more(as_user: AsUser, viewer: User, project: Project) -> None:
    BuildFactory.create_batch(11, project=project)
    response = search(as_user(viewer), "3.0.0")
    assert len(response.context["hits"].builds) == 10
    assert "The first 10 builds. Type more to narrow them down." in text_of(response)


def test_whoever_is_not_signed_in_comes_back_to_the_search(client: Any, db: None) -> None:
    assert search(client, "3.0.0").headers["Location"] == "/sign-in/?next=/search/%3Fq%3D3.0.0"


@pytest.mark.parametrize("build_count", [1, 9])
def test_a_search_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, project: Project, build_count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(build_count):
        CodePushFactory(build=BuildFactory(project=project), deployment_id=f"dpl_AB{CodePush.objects.count()}")
    client = as_user(viewer)
    # Session, user; builds, CodePushes, projects; what runs, for the header.
    with django_assert_num_queries(5):
        search(client, "3.0")
    with django_assert_num_queries(6):
        search(client, "dpl_AB")
