"""Projects and builds over the release API."""

import pytest
from django.contrib.auth.models import User

from builds.models import Build, Project
from tests.deployments.stories import audited
from tests.factories import BuildFactory, CodePushFactory, ProjectFactory
from tests.release_api.caller import Caller, assert_error

NEW_BUILD = {"platform": "ios", "build_target": "staging", "store_version": "3.1.0"}


def test_a_project_is_created_and_listed(api: Caller) -> None:
    created = api.post("/projects", {"name": "Winter Sports", "description": "Skis"})

    assert created.status_code == 201
    assert (created.json()["slug"], created.json()["name"]) == ("winter-sports", "Winter Sports")
    listed = api.get("/projects", limit=1).json()
    assert (listed["count"], [each["slug"] for each in listed["items"]]) == (2, ["northwind-outdoor"])
    assert [each["slug"] for each in api.get("/projects", offset=1).json()["items"]] == ["winter-sports"]


def test_an_address_that_is_taken_is_a_conflict(api: Caller, project: Project) -> None:
    ProjectFactory(slug="others")
    for slug in (project.slug, "others", "new"):
        assert_error(api.post("/projects", {"name": "X", "slug": slug}), 409, "already_taken", slug, field="slug")


def test_a_build_is_registered_with_its_key_before_compiling(api: Caller, project: Project, owner: User) -> None:
    with audited("build.registered", "build.status_changed"):
        answer = api.post(f"/projects/{project.slug}/builds", NEW_BUILD)
        assert answer.status_code == 201
        build = answer.json()
        done = api.patch(f"/builds/{build['id']}", {"status": "success"})

    assert len(build["deployment_key"]) == 36
    assert (build["status"], build["store_status"], build["triggered_by"]) == ("pending", "none", owner.username)
    assert done.json() == api.get(f"/builds/{build['id']}").json()
    assert done.json()["status"] == "success"


def test_a_deployment_key_of_ones_own_is_taken_once(api: Caller, project: Project) -> None:
    path, body = f"/projects/{project.slug}/builds", NEW_BUILD | {"deployment_key": "from-the-old-server"}
    assert api.post(path, body).json()["deployment_key"] == "from-the-old-server"
    assert_error(api.post(path, body), 409, "already_taken", "from-the-old-server", field="deployment_key")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["2.0.0", "3.0.0"]),
        ({"platform": "ios"}, ["2.0.0"]),
        ({"build_target": "staging"}, ["2.0.0"]),
        ({"store_version": "3.0.0"}, ["3.0.0"]),
        ({"status": "failed"}, []),
        ({"limit": 1}, ["2.0.0"]),
        ({"offset": 1}, ["3.0.0"]),
    ],
)
def test_builds_are_found_by_what_they_are(
    api: Caller, build: Build, query: dict[str, object], found: list[str]
) -> None:
    BuildFactory(project=build.project, platform="ios", build_target="staging", store_version="2.0.0")
    BuildFactory()
    listed = api.get(f"/projects/{build.project.slug}/builds", **query).json()
    assert [each["store_version"] for each in listed["items"]] == found


def test_a_build_that_finished_stays_finished(api: Caller, build: Build) -> None:
    assert_error(api.patch(f"/builds/{build.pk}", {"status": "failed"}), 409, "conflict", "cannot become failed")


def test_store_status_and_force_update(api: Caller, build: Build) -> None:
    newer = BuildFactory(project=build.project, store_version="3.1.0")
    assert_error(api.post(f"/builds/{build.pk}/force-update"), 409, "conflict", "never live in the store")
    for each in (build, newer):
        live = api.post(f"/builds/{each.pk}/store-status", {"store_status": "live"})
        assert (live.status_code, live.json()["store_status"]) == (200, "live")
    assert api.get(f"/builds/{build.pk}").json()["store_status"] == "approved"

    with audited("build.force_update_applied", "build.force_update_lifted"):
        applied = api.post(f"/builds/{build.pk}/force-update", {"reason": "Leaks tokens"})
        lifted = api.delete(f"/builds/{build.pk}/force-update")
    assert [(each.status_code, each.json()["is_force_updated"]) for each in (applied, lifted)] == [
        (200, True),
        (200, False),
    ]


def test_a_device_is_explained_step_by_step(api: Caller, build: Build) -> None:
    codepush = CodePushFactory(build=build)
    answer = api.get(f"/builds/{build.pk}/explain", client_unique_id="a").json()
    assert (answer["reason"], answer["offered_label"], answer["offered_deployment_id"]) == (
        "offered_whole",
        "v1",
        codepush.deployment_id,
    )
    assert [step["outcome"] for step in answer["steps"]] == ["passed"] * len(answer["steps"])

    older = api.get(f"/builds/{build.pk}/explain", app_version="2.0.0").json()
    assert (older["reason"], older["offered_label"], older["update_app_version"]) == ("binary_older", None, True)
    ahead = api.get(f"/builds/{build.pk}/explain", label="v1", package_hash=codepush.bundle.package_hash).json()
    assert (ahead["reason"], ahead["own_label"]) == ("up_to_date", "v1")


def test_a_device_without_a_readable_version_is_refused(api: Caller, build: Build) -> None:
    answer = api.get(f"/builds/{build.pk}/explain", app_version="abc")
    assert_error(answer, 422, "invalid_input", "app_version", field="app_version")
