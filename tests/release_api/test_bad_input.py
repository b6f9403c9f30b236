"""Whatever is wrong with a request: the status, the code, and the field; and nothing is done."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import Build, Project
from deployments.models import CodePush
from tests.deployments.stories import small_archive, state_of_everything
from tests.factories import CodePushFactory
from tests.release_api.caller import Caller, assert_error

BUILD = {"platform": "ios", "build_target": "staging", "store_version": "3.1.0"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "windows"}, "platform"),
        ({"build_target": "beta"}, "build_target"),
        ({"store_version": "three"}, "store_version"),
        ({"store_version": 3}, "store_version"),
        ({"store_version": "v3.0.0"}, "store_version"),
        ({"status": "done"}, "status"),
        ({"hermes_bytecode_version": -1}, "hermes_bytecode_version"),
        ({"hermes_bytecode_version": "96"}, "hermes_bytecode_version"),
        ({"deployment_key": "short"}, "deployment_key"),
        ({"branch": "a\0b"}, "branch"),
        ({"branch": "\ud800"}, "branch"),
        ({"commit": "c" * 65}, "commit"),
        ({"shop": 1}, "shop"),
    ],
)
def test_a_wrong_value_for_a_build_is_named(api: Caller, project: Project, body: dict[str, Any], field: str) -> None:
    before = state_of_everything()
    answer = api.post(f"/projects/{project.slug}/builds", BUILD | body)
    assert_error(answer, 422, "invalid_input", field, field=field)
    assert state_of_everything() == before


def test_each_wrong_field_is_named(api: Caller, project: Project) -> None:
    answer = api.post(f"/projects/{project.slug}/builds", {"platform": "windows", "more": 1})
    assert set(answer.json()["error"]["fields"]) == {"platform", "more", "build_target", "store_version"}
    assert answer.json()["error"]["fields"]["store_version"] == "Missing."


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"build_target": "staging"}, "build_target"),
        ({"platform": "ios"}, "platform"),
        ({"platform": "windows"}, "platform"),
        ({"rollout_percent": "0"}, "rollout_percent"),
        ({"rollout_percent": "12.5"}, "rollout_percent"),
        ({"rollout_percent": "50%"}, "rollout_percent"),
        ({"is_mandatory": "perhaps"}, "is_mandatory"),
        ({"description": "x" * 2001}, "description"),
        ({"expected_live": "newest"}, "expected_live"),
        ({"label": "v9"}, "label"),
    ],
)
def test_a_wrong_value_for_an_upload_is_named(api: Caller, build: Build, fields: dict[str, Any], field: str) -> None:
    before = state_of_everything()
    answer = api.upload(f"/builds/{build.pk}/codepushes", small_archive(), **fields)
    assert_error(answer, 422, "invalid_input", field=field)
    assert state_of_everything() == before


def test_an_upload_without_a_file_or_with_a_bad_one_is_refused(api: Caller, build: Build) -> None:
    path = f"/builds/{build.pk}/codepushes"
    assert_error(api.upload(path, None), 422, "invalid_input", field="bundle")
    not_a_zip = SimpleUploadedFile("a.zip", b"not a zip")
    assert_error(api.upload(path, not_a_zip), 422, "invalid_input", field="bundle")
    assert not CodePush.objects.exists()


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(
    api: Caller, build: Build, settings: Settings
) -> None:
    settings.MAX_BUNDLE_BYTES = 10
    answer = api.post(f"/builds/{build.pk}/codepushes", "x" * 1_000_100)
    assert_error(answer, 413, "too_large", "limit")


def test_a_file_over_the_limit_is_refused(api: Caller, build: Build, settings: Settings) -> None:
    settings.MAX_BUNDLE_BYTES = 10
    answer = api.upload(f"/builds/{build.pk}/codepushes", small_archive())
    assert_error(answer, 413, "too_large", "limit", field="bundle")


def _send(api: Caller, path: str, body: str, content_type: str) -> Any:
    return Client().generic("POST", f"/api/v1{path}", body, content_type, headers=api.headers)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{", "application/json"),
        ("", "text/plain; charset=klingon"),
        ('{"name": "X"}', "text/plain"),
        ("name=X", "application/x-www-form-urlencoded"),
        ("--x\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_that_is_not_json_is_refused(api: Caller, body: str, content_type: str) -> None:
    answer = _send(api, "/projects", body, content_type)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]
    assert Project.objects.count() == 1


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "application/zip"])
def test_an_upload_that_is_no_form_is_refused(api: Caller, build: Build, content_type: str) -> None:
    answer = _send(api, f"/builds/{build.pk}/codepushes", "PK\3\4", content_type)
    assert answer.status_code in (400, 422)
    assert not CodePush.objects.exists()


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"offset": -1}, {"offset": 2**63}])
def test_a_page_that_cannot_be_is_refused(api: Caller, query: dict[str, Any]) -> None:
    assert_error(api.get("/projects", **query), 422, "invalid_input", field=next(iter(query)))


@pytest.mark.parametrize("build_id", ["abc", "0", "-1", str(2**63)])
def test_what_is_no_build_id_is_refused(api: Caller, build_id: str) -> None:
    assert_error(api.get(f"/builds/{build_id}"), 422, "invalid_input", field="build_id")


def test_rollback_names_what_is_wrong(api: Caller, build: Build) -> None:
    codepush = CodePushFactory(build=build)
    path = f"/codepushes/{codepush.deployment_id}/rollback"
    assert_error(api.post(path), 422, "invalid_input", field="body")
    assert_error(api.post(path, {}), 422, "invalid_input", "to: Missing.", field="to")
    assert_error(api.post(path, {"to": "1"}), 422, "invalid_input", field="to")
    assert_error(api.post(path, {"to": "v7"}), 422, "invalid_input", "no CodePush 'v7'", field="to")


def test_what_django_refuses_by_itself_has_the_same_shape(api: Caller) -> None:
    client = Client(headers=api.headers)
    assert_error(client.get("/api/v1/nothing"), 404, "not_found")
    wrong = client.put("/api/v1/projects")
    assert_error(wrong, 405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "POST"}
    assert_error(client.get("/api/v1/projects?limit=%00"), 400, "bad_request")


def test_a_fault_of_ours_has_the_same_shape(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("told to nobody")

    monkeypatch.setattr("builds.selectors.list_projects", fail)
    client = Client(raise_request_exception=False, headers=api.headers)
    answer = client.get("/api/v1/projects")
    assert_error(answer, 500, "internal_error")
    assert b"told to nobody" not in answer.content
